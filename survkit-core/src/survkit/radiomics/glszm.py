"""The 16 features of the grey level size zone matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.size_cells import size_cells
from survkit.radiomics.size_matrix import describe_sizes
from survkit.radiomics.zones import zone_sizes


def glszm_features(levels: GreyLevels) -> dict[str, Tensor]:
    """Compute the features of the zones of each region.

    Voxels of one level belong to one zone where a step to any of the 8 (26) neighbours connects
    them inside the mask.

    Returns:
        float64 (region) by feature name.

    Reference: Thibault et al. (2009); Zwanenburg et al., IBSI reference manual (2019), 3.8;
    pyradiomics documentation, GLSZM.
    """
    code, voxels = zone_sizes(levels)
    largest = int(voxels.max())
    place, count = torch.unique(code * largest + (voxels - 1), return_counts=True)
    zone = describe_sizes(size_cells(levels, place, count, largest))
    return {
        "SmallAreaEmphasis": zone.small,
        "LargeAreaEmphasis": zone.large,
        "GrayLevelNonUniformity": zone.level_squares * zone.total,
        "GrayLevelNonUniformityNormalized": zone.level_squares,
        "SizeZoneNonUniformity": zone.size_squares * zone.total,
        "SizeZoneNonUniformityNormalized": zone.size_squares,
        "ZonePercentage": zone.total / levels.count.sum(dim=1),
        "GrayLevelVariance": zone.level_variance,
        "ZoneVariance": zone.size_variance,
        "ZoneEntropy": zone.entropy,
        "LowGrayLevelZoneEmphasis": zone.low,
        "HighGrayLevelZoneEmphasis": zone.high,
        "SmallAreaLowGrayLevelEmphasis": zone.small_low,
        "SmallAreaHighGrayLevelEmphasis": zone.small_high,
        "LargeAreaLowGrayLevelEmphasis": zone.large_low,
        "LargeAreaHighGrayLevelEmphasis": zone.large_high,
    }
