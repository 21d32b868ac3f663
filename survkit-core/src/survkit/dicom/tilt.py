"""Gantry tilt taken out: slices are moved in their planes onto one upright grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.stack_geometry import StackGeometry


def without_tilt(
    values: NDArray[np.float32], geometry: StackGeometry, fill: float
) -> tuple[NDArray[np.float32], StackGeometry]:
    """Return a sheared stack on a grid whose third axis is the slices' normal.

    Each slice is moved by linear interpolation within its plane (never across slices), onto a
    canvas that is widened so that no voxel is lost; what no slice covers is ``fill``.

    Args:
        values: (z, y, x).
        geometry: Of the sheared stack.
        fill: Value where nothing was scanned.
    """
    from scipy.ndimage import shift  # type: ignore[attr-defined]

    steps = np.arange(len(values))[:, None]
    # Voxels along (y, x) by which the slices' corners drift.
    drift = steps * (np.array(geometry.drift) / (geometry.spacing[2], geometry.spacing[1]))[::-1]
    drift = np.where(np.abs(drift - np.rint(drift)) < 1e-6, np.rint(drift), drift)
    low = np.floor(drift.min(axis=0)).astype(int)
    extra = np.ceil(drift.max(axis=0)).astype(int) - low
    canvas = np.full(
        (len(values), values.shape[1] + extra[0], values.shape[2] + extra[1]), fill, np.float32
    )
    for index, (plane, move) in enumerate(zip(values, drift - low, strict=True)):
        canvas[index, : plane.shape[0], : plane.shape[1]] = plane
        if move.any():
            canvas[index] = shift(canvas[index], move, order=1, mode="constant", cval=fill)
    axes = np.array(geometry.direction)
    corner = np.array(geometry.origin) + axes[:, :2] @ (
        low[::-1] * np.array([geometry.spacing[2], geometry.spacing[1]])
    )
    return canvas, replace(geometry, origin=tuple(corner.tolist()), tilt=0.0, drift=(0.0, 0.0))
