"""Grey level co-occurrence: how often two levels are neighbours."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.neighbours import half_offsets, pair_views


def cooccurrence(levels: GreyLevels, distance: int) -> Tensor:
    """Count neighbours by their levels, both ways, in each direction.

    Returns:
        int64 (direction, region, depth, depth), symmetric; without directions where the box has
        none.
    """
    regions, width, depth = len(levels.rank), levels.width, levels.depth
    left = levels.coded * width
    counted = []
    for offset in half_offsets(levels.box, distance):
        first, second = pair_views(left, offset)[0], pair_views(levels.rank, offset)[1]
        pairs = torch.bincount((first + second).flatten(), minlength=regions * width * width)
        square = pairs.view(regions, width, width)[:, :depth, :depth]
        counted.append(square + square.mT)
    if not counted:
        return levels.rank.new_zeros(0, regions, depth, depth)
    return torch.stack(counted)
