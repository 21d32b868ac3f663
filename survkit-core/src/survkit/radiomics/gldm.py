"""The 14 features of the grey level dependence matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.neighbours import half_offsets, pair_views
from survkit.radiomics.size_cells import occupied, size_cells
from survkit.radiomics.size_matrix import describe_sizes


def gldm_features(levels: GreyLevels, distance: int, alpha: float) -> dict[str, Tensor]:
    """Compute the features of how many voxels depend on each voxel, itself included.

    Args:
        levels: The regions.
        distance: Neighbours are at exactly this distance.
        alpha: A neighbour depends on the centre where their levels differ by at most this much.

    Returns:
        float64 (region) by feature name.

    Reference: Sun and Wee (1983); Zwanenburg et al., IBSI reference manual (2019), 3.11;
    pyradiomics documentation, GLDM.
    """
    dependent, most = _dependences(levels, distance, alpha)
    cell = levels.coded * (most + 1) + dependent
    cells = len(levels.rank) * levels.width * (most + 1)
    place, count = occupied(torch.bincount(cell.flatten(), minlength=cells))
    dependence = describe_sizes(size_cells(levels, place, count, most + 1))
    return {
        "SmallDependenceEmphasis": dependence.small,
        "LargeDependenceEmphasis": dependence.large,
        "GrayLevelNonUniformity": dependence.level_squares * dependence.total,
        "DependenceNonUniformity": dependence.size_squares * dependence.total,
        "DependenceNonUniformityNormalized": dependence.size_squares,
        "GrayLevelVariance": dependence.level_variance,
        "DependenceVariance": dependence.size_variance,
        "DependenceEntropy": dependence.entropy,
        "LowGrayLevelEmphasis": dependence.low,
        "HighGrayLevelEmphasis": dependence.high,
        "SmallDependenceLowGrayLevelEmphasis": dependence.small_low,
        "SmallDependenceHighGrayLevelEmphasis": dependence.small_high,
        "LargeDependenceLowGrayLevelEmphasis": dependence.large_low,
        "LargeDependenceHighGrayLevelEmphasis": dependence.large_high,
    }


def _dependences(levels: GreyLevels, distance: int, alpha: float) -> tuple[Tensor, int]:
    """Number of dependent neighbours of each voxel, and the most that there can be.

    What is counted for voxels outside the mask is dropped with their row of the matrix.
    """
    offsets = half_offsets(levels.box, distance)
    dependent = torch.zeros_like(levels.rank, dtype=torch.int16)
    compared = levels.rank if alpha < 1 else _voxel_levels(levels)
    for offset in offsets:
        first, second = pair_views(compared, offset)
        alike = first == second if alpha < 1 else (first - second).abs() <= alpha
        for part in pair_views(dependent, offset):
            part += alike.to(dependent.dtype)
    return dependent, 2 * len(offsets)


def _voxel_levels(levels: GreyLevels) -> Tensor:
    """Grey level of each voxel (region, z, y, x); infinitely low outside the mask."""
    outside = levels.level.new_full((len(levels.level), 1), -torch.inf)
    table = torch.cat([levels.level, outside], dim=1)
    return table.gather(1, levels.rank.flatten(1)).view_as(levels.rank)
