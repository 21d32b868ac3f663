"""All features of regions that share one box."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.radiomics.discretise import discretise
from survkit.radiomics.first_order import first_order_features
from survkit.radiomics.glcm import glcm_features
from survkit.radiomics.glcm_matrix import CELLS
from survkit.radiomics.gldm import gldm_features
from survkit.radiomics.glrlm import glrlm_features
from survkit.radiomics.glszm import glszm_features
from survkit.radiomics.grey_levels import distinct_levels, rank_levels
from survkit.radiomics.names import FEATURE_CLASSES, FEATURE_NAMES
from survkit.radiomics.neighbours import half_offsets
from survkit.radiomics.ngtdm import ngtdm_features
from survkit.radiomics.settings import RadiomicsSettings

MOST_CELLS = 2**27
"""Cells of one region's co-occurrence matrices that are still computed: 1 GiB for each copy."""


def region_features(
    values: Tensor,
    box: tuple[int, int, int],
    mask: Tensor | None,
    voxel_volume: float,
    settings: RadiomicsSettings,
) -> Tensor:
    """Compute the features of regions of one shape, in groups that fit the memory.

    Args:
        values: float64 intensities (region, voxel in the mask).
        box: Extent along z, y and x.
        mask: bool (z, y, x), or nothing where the box is full.
        voxel_volume: mm^3 (mm^2 in a plane).
        settings: Bins and neighbourhood.

    Returns:
        float64 (region, 93).

    Raises:
        DataError: A region has so many distinct levels that its matrices would need GiB.
    """
    level = discretise(values, settings)
    histogram, distinct = distinct_levels(level)
    directions = max(1, len(half_offsets(box, settings.distance)))
    _check_distinct(int(distinct.max()), directions)
    order = distinct.argsort(stable=True)
    features = values.new_empty(len(values), len(FEATURE_NAMES))
    for group in _groups(distinct[order].tolist(), histogram.shape[1], directions):
        rows = order[group] if group.stop - group.start < len(order) else slice(None)
        features[rows] = _grouped(
            values[rows], level[rows], histogram[rows], box, mask, voxel_volume, settings
        )
    return features


def _check_distinct(most: int, directions: int) -> None:
    if directions * most**2 > MOST_CELLS:
        raise DataError(
            f"a region has {most} distinct grey levels, which is more than the "
            f"{int((MOST_CELLS / directions) ** 0.5)} whose matrices in {directions} directions "
            "can be held in memory; choose a larger bin_width or a bin_count"
        )


def _groups(distinct: list[int], top: int, directions: int) -> list[slice]:
    """Cut regions, sorted by their number of levels, so that a group's matrices fit."""
    groups, begin = [], 0
    for end in range(1, len(distinct) + 1):
        if end == len(distinct):
            groups.append(slice(begin, end))
        elif (end + 1 - begin) * directions * max(distinct[end] ** 2, 2 * top) > CELLS:
            groups.append(slice(begin, end))
            begin = end
    return groups


def _grouped(
    values: Tensor,
    level: Tensor,
    histogram: Tensor,
    box: tuple[int, int, int],
    mask: Tensor | None,
    voxel_volume: float,
    settings: RadiomicsSettings,
) -> Tensor:
    levels = rank_levels(level, histogram, box, mask)
    by_class = {
        "firstorder": first_order_features(values, levels.count, voxel_volume),
        "glcm": glcm_features(levels, settings.distance),
        "glrlm": glrlm_features(levels),
        "glszm": glszm_features(levels),
        "gldm": gldm_features(levels, settings.distance, settings.gldm_alpha),
        "ngtdm": ngtdm_features(levels, settings.distance),
    }
    return torch.stack(
        [by_class[group][name] for group, names in FEATURE_CLASSES.items() for name in names],
        dim=1,
    )
