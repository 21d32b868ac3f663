"""Voxels of a box in the order of straight lines, and the runs of equal voxels along them."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from survkit.radiomics.neighbours import Offset
from survkit.radiomics.places import true_places

REMEMBERED = 65_536
"""Orders of boxes with at most so many voxels (patches) are kept."""


def lines(box: tuple[int, int, int], offset: Offset, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return all voxels line by line in one direction.

    Returns:
        Order: int64 places of the voxels in the flattened box. Line: int64, beginning with 0 and
        growing by one where the next line begins.
    """
    if box[0] * box[1] * box[2] > REMEMBERED:
        return _lines(box, offset, device)
    return _remembered_lines(box, offset, device)


def _lines(
    box: tuple[int, int, int], offset: Offset, device: torch.device
) -> tuple[Tensor, Tensor]:
    axes = [torch.arange(size, device=device) for size in box]
    place = torch.arange(box[0] * box[1] * box[2], device=device)
    steps_back = torch.full_like(place, max(box))
    grids = torch.meshgrid(*axes, indexing="ij")
    for along, size, step in zip(grids, box, offset, strict=True):
        if step:
            room = along if step > 0 else size - 1 - along
            steps_back = torch.minimum(steps_back, room.flatten() // abs(step))
    stride = (offset[0] * box[1] + offset[1]) * box[2] + offset[2]
    begin = place - steps_back * stride
    order = torch.argsort(begin * (max(box) + 1) + steps_back)
    ordered = begin[order]
    line = torch.zeros_like(place)
    line[1:] = (ordered[1:] != ordered[:-1]).cumsum(dim=0)
    return order, line


_remembered_lines = lru_cache(maxsize=64)(_lines)


def run_starts(coded: Tensor, line: Tensor) -> Tensor:
    """Return where runs of equal voxels begin, as places in the flattened input.

    Args:
        coded: Voxels in the order of lines (region, voxel); differs between regions.
        line: Which line each voxel belongs to (voxel).
    """
    begins = torch.ones_like(coded, dtype=torch.bool)
    begins[:, 1:] = coded[:, 1:] != coded[:, :-1]
    begins[:, 1:] |= line[1:] != line[:-1]
    return true_places(begins)


def run_lengths(starts: Tensor, end: int) -> Tensor:
    """Return the number of voxels of each run; the last one ends at ``end``."""
    return torch.diff(starts, append=starts.new_tensor([end]))
