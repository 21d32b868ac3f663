"""Grey level co-occurrence: how often two levels are neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.neighbours import Offset, pair_views

CELLS = 2**22
"""Cells of matrices that are held at once where that is possible: 32 MiB for each copy."""


def cooccurrence(levels: GreyLevels, offsets: Sequence[Offset]) -> Tensor:
    """Count neighbours by their levels, both ways, in each of at least one direction.

    Returns:
        int64 (direction, region, depth, depth), symmetric.
    """
    regions, width, depth = len(levels.rank), levels.width, levels.depth
    left = levels.coded * width
    counted = []
    for offset in offsets:
        first, second = pair_views(left, offset)[0], pair_views(levels.rank, offset)[1]
        pairs = torch.bincount((first + second).flatten(), minlength=regions * width * width)
        square = pairs.view(regions, width, width)[:, :depth, :depth]
        counted.append(square + square.mT)
    return torch.stack(counted)
