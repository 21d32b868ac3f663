"""Interpolation along one axis as a matrix.

Resampling to another spacing, cutting and resizing are linear and act on each axis by itself, so
each axis has one matrix, and what is cut away is never computed: the rows that are left are those
of the whole volume, exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Interpolation = Literal["bspline", "linear"]
"""Cubic B-spline through the voxels (the paper's), or straight lines between them."""


def positions(length: int, spacing: float, new_spacing: float) -> NDArray[np.float64]:
    """Return where the voxels of a new spacing lie, as indices of the old ones.

    The outer faces of the first voxels coincide, and the new voxels cover the same extent to half
    a new voxel; there is at least one.
    """
    count = max(1, round(length * spacing / new_spacing))
    return np.asarray((np.arange(count) + 0.5) * (new_spacing / spacing) - 0.5, np.float64)


def nearest(places: NDArray[np.float64], length: int) -> NDArray[np.int64]:
    """Return the index of the nearest voxel to each place; halves go to the higher one."""
    return np.clip(np.floor(places + 0.5).astype(np.int64), 0, length - 1)


def resampling(
    places: NDArray[np.float64], length: int, interpolation: Interpolation
) -> NDArray[np.float64]:
    """Return the matrix (place, length) that interpolates at places.

    Beyond the middles of the outermost voxels, where there is only half a neighbourhood, lines stay
    at the outermost value and splines mirror the voxels about it.

    Reference: Unser, Aldroubi and Eden (1991), IEEE Trans PAMI 13:277 (the spline's coefficients).
    """
    if length == 1:
        return np.ones((len(places), 1))
    if interpolation == "linear":
        places = np.clip(places, 0, length - 1)
        return _weights(places, length, lambda distance: np.clip(1 - distance, 0, None))
    samples = _weights(np.arange(length, dtype=float), length, _cubic)
    # spline(place) = B(place) c, and c solves B(samples) c = values
    return np.asarray(np.linalg.solve(samples.T, _weights(places, length, _cubic).T).T, np.float64)


def resizing(length: int, size: int) -> NDArray[np.float64]:
    """Return the matrix (size, length) of torch's bilinear resize, antialiased when it shrinks."""
    eye = torch.eye(length, dtype=torch.float64)[None, None]
    resized = torch.nn.functional.interpolate(
        eye, size=(size, length), mode="bilinear", antialias=True
    )
    return np.asarray(resized[0, 0].numpy())


def along(volume: Tensor, axis: int, matrix: NDArray[np.float64]) -> Tensor:
    """Return the volume (z, y, x) with the matrix applied along one axis."""
    factor: Tensor = torch.from_numpy(matrix.astype(np.float32))
    if axis == 2:
        return volume @ factor.T
    if axis == 1:
        return factor @ volume
    return (factor @ volume.flatten(1)).reshape(-1, *volume.shape[1:])


def _cubic(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cubic B-spline at a distance of at most 2 from its middle."""
    near = 2 / 3 - distance**2 + distance**3 / 2
    return np.where(distance < 1, near, (2 - distance).clip(min=0) ** 3 / 6)


def _weights(
    places: NDArray[np.float64],
    length: int,
    kernel: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return the kernel's weights of the voxels at each place, mirrored at the ends."""
    matrix = np.zeros((len(places), length))
    first = np.floor(places).astype(np.int64) - 1
    period = 2 * (length - 1)
    for offset in range(4):
        index = first + offset
        weight = kernel(np.abs(places - index))
        folded = np.abs(index) % period
        np.add.at(matrix, (np.arange(len(places)), np.minimum(folded, period - folded)), weight)
    return matrix
