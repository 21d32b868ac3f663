"""A map's cells over the pixels of a picture: exact overlaps, and the smooth map that is drawn.

Cells tile the whole picture evenly, so their edges may lie within pixels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cell_share(mask: NDArray[np.bool_], grid: tuple[int, int]) -> Floats:
    """Return the share of each cell's area that lies in the mask's pixels; float64 (row, column).

    Pixels that a cell covers in part count by the part.
    """
    down, across = (_overlap(length, count) for length, count in zip(mask.shape, grid, strict=True))
    return np.asarray(down @ mask.astype(np.float64) @ across.T)


def mass_in_mask(weight: Floats, mask: NDArray[np.bool_]) -> float:
    """Return the weight within the mask, each cell's spread evenly over its area.

    Args:
        weight: (row, column).
        mask: Pixels, bool (y, x).
    """
    rows, columns = weight.shape
    return float((weight * cell_share(mask, (rows, columns))).sum())


def upsampled(weight: Floats, shape: tuple[int, int]) -> Floats:
    """Return the map at so many rows and columns, bilinear between the middles of its cells; beyond
    the outermost ones it stays as it is.
    """
    given = torch.from_numpy(weight)[None, None]
    found = torch.nn.functional.interpolate(given, size=shape, mode="bilinear", align_corners=False)
    return np.asarray(found[0, 0].numpy())


def reduced(planes: NDArray[Any], most: int) -> NDArray[np.float32]:
    """Return a picture (channel, y, x) of at most so many pixels a side, by means of areas."""
    longest = max(planes.shape[1:])
    given = torch.from_numpy(np.ascontiguousarray(planes)).float()
    if longest > most:
        size = [max(1, round(length * most / longest)) for length in planes.shape[1:]]
        given = torch.nn.functional.interpolate(given[None], size=size, mode="area")[0]
    return np.asarray(given.numpy())


def _overlap(length: int, count: int) -> Floats:
    """Return the share of each cell of an axis that lies in each pixel; float64 (cell, pixel)."""
    edge = np.arange(count + 1) * (length / count)
    pixel = np.arange(length)
    upper = np.minimum(edge[1:, None], pixel + 1)
    lower = np.maximum(edge[:-1, None], pixel)
    return np.asarray(np.clip(upper - lower, 0, None) * (count / length))
