"""Where the tokens of a grid lie in the volume that they are made from.

The grid is taken to cover the whole volume: cell c of n along an axis of so many voxels holds those
whose middle lies in the n-th part (c/n, (c + 1)/n] of the axis. For a convolutional encoder whose
strides do not divide the axis that is off by less than a token at the far end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.protocols import Prepares
from survkit.showing import ShowsVolumes
from survkit.specs import InputSpec

Axes = tuple[int, int, int]
Array = NDArray[Any]


def grid_over_volume(encoder: Any, spec: InputSpec) -> Axes | None:
    """Return the grid of an encoder's tokens along z, y, x, where it covers the whole input.

    That is known of encoders without a ``prepare``, which could crop, and of those that promise it
    (:class:`survkit.showing.ShowsVolumes`). ``None`` where it is not, or where there is no such
    grid.
    """
    grid = encoder.encoding.grid
    if spec.kind != "volume" or spec.has_tokens or grid is None or len(grid) != 3:
        return None
    if isinstance(encoder, Prepares) and not isinstance(encoder, ShowsVolumes):
        return None
    return None if any(np.greater(grid, spec.shape[1:])) else (grid[0], grid[1], grid[2])


def to_voxels(cells: Array, shape: Axes) -> Array:
    """Return the values (z, y, x) of a grid's cells at every voxel, without interpolation."""
    places = (
        _cell_of_voxel(length, count) for length, count in zip(shape, cells.shape, strict=True)
    )
    return np.asarray(cells[np.ix_(*places)])


def mask_share(mask: NDArray[np.bool_], grid: Axes) -> NDArray[np.float32]:
    """Return the share of each cell's voxels inside the mask; float32 (token), x fastest."""
    share = mask.astype(np.float64)
    for axis, count in enumerate(grid):
        cell = _cell_of_voxel(share.shape[axis], count)
        first = np.searchsorted(cell, np.arange(count))
        size = np.bincount(cell, minlength=count).reshape(
            [-1 if k == axis else 1 for k in range(3)]
        )
        share = np.add.reduceat(share, first, axis=axis) / size
    return share.ravel().astype(np.float32)


def central_voxel(token: int, grid: Axes, shape: Axes) -> Axes:
    """Return the voxel in the middle of a token."""
    z, y, x = (
        int((2 * int(cell) + 1) * length / (2 * count))
        for cell, length, count in zip(np.unravel_index(token, grid), shape, grid, strict=True)
    )
    return z, y, x


def _cell_of_voxel(length: int, count: int) -> NDArray[np.int64]:
    """Return in which of the cells each voxel of an axis lies; increasing."""
    return np.asarray((2 * np.arange(length) + 1) * count // (2 * length), dtype=np.int64)
