"""Directions between neighbouring voxels of a box."""

from __future__ import annotations

from itertools import product

from torch import Tensor

Offset = tuple[int, int, int]


def half_offsets(box: tuple[int, int, int], distance: int = 1) -> list[Offset]:
    """Return one of each pair of opposite directions: 4 in a plane, 13 in a volume.

    A direction goes to a voxel whose largest step along an axis is ``distance``. Directions that
    leave the box from everywhere are left out.
    """
    steps = [range(-min(distance, size - 1), min(distance, size - 1) + 1) for size in box]
    return [
        (along_z, along_y, along_x)
        for along_z, along_y, along_x in product(*steps)
        if max(abs(along_z), abs(along_y), abs(along_x)) == distance
        and (along_z, along_y, along_x) > (0, 0, 0)
    ]


def pair_views(volume: Tensor, offset: Offset) -> tuple[Tensor, Tensor]:
    """Return views of the voxels that have a partner in this direction, and of the partners.

    Args:
        volume: (..., z, y, x).
        offset: Steps along z, y and x.
    """
    first, second = volume, volume
    for axis, step in zip((-3, -2, -1), offset, strict=True):
        length = volume.shape[axis] - abs(step)
        first = first.narrow(axis, max(0, -step), length)
        second = second.narrow(axis, max(0, step), length)
    return first, second
