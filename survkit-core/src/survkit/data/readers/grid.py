"""Grids of voxels in the patient's space, and images brought onto them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.data.readers.geometry import simpleitk


@dataclass(frozen=True, slots=True)
class Grid:
    """Where voxels lie, as SimpleITK says it: axes (x, y, z), mm of the LPS patient system.

    Attributes:
        size: Voxels along each axis.
        spacing: Between voxel centres.
        origin: Centre of the first voxel.
        direction: Rows of the matrix whose columns are the directions of the axes.
    """

    size: tuple[int, ...]
    spacing: tuple[float, ...]
    origin: tuple[float, ...]
    direction: tuple[float, ...]

    @property
    def zyx(self) -> tuple[int, ...]:
        """Voxels as (z, y, x)."""
        return self.size[::-1]

    @property
    def spacing_zyx(self) -> tuple[float, float, float]:
        """Voxel size in mm as (z, y, x)."""
        x, y, z = self.spacing
        return (z, y, x)

    def point(self, index: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where a voxel (x, y, z) lies, in mm; fractions lie in between."""
        matrix = np.array(self.direction).reshape(3, 3) * np.array(self.spacing)
        return np.asarray(np.array(self.origin) + matrix @ np.asarray(index, dtype=float))

    def index(self, point: Sequence[float] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Return which voxel (x, y, z) lies at a point in mm, in fractions of voxels."""
        matrix = np.array(self.direction).reshape(3, 3) * np.array(self.spacing)
        offset = np.asarray(point, dtype=float) - np.array(self.origin)
        return np.asarray(np.linalg.solve(matrix, offset))

    def extent(self) -> str:
        """Return the box that the voxels fill, in words; mm of the patient."""
        size = np.array(self.size)
        corners = np.array(
            [self.point(np.array(np.unravel_index(k, (2, 2, 2))) * size - 0.5) for k in range(8)]
        )
        spans = zip("xyz", corners.min(axis=0), corners.max(axis=0), strict=True)
        return ", ".join(f"{axis} {low:.0f} to {high:.0f}" for axis, low, high in spans) + " mm"


def grid_of(image: Any) -> Grid:
    """Return the grid of a SimpleITK image."""
    return Grid(image.GetSize(), image.GetSpacing(), image.GetOrigin(), tuple(image.GetDirection()))


def respaced(grid: Grid, spacing: Sequence[float]) -> Grid:
    """Return the grid of another spacing [z, y, x] that covers the same extent.

    The outer faces of the first voxels coincide, so nothing is shifted by half a voxel.
    """
    old, new = np.array(grid.spacing), np.array(spacing[::-1], dtype=float)
    size = np.maximum(np.round(np.array(grid.size) * old / new), 1).astype(int)
    direction = np.array(grid.direction).reshape(3, 3)
    origin = np.array(grid.origin) + direction @ ((new - old) / 2)
    return replace(
        grid,
        size=tuple(size.tolist()),
        spacing=tuple(new.tolist()),
        origin=tuple(origin.tolist()),
    )


def boxed(grid: Grid, size: Sequence[int], centre: Sequence[int]) -> Grid:
    """Return the block of a size round a voxel, both (z, y, x); it may reach beyond the grid.

    It is the block that ``crop_or_pad`` cuts.
    """
    start = [middle - wanted // 2 for middle, wanted in zip(centre, size, strict=True)][::-1]
    return replace(grid, size=tuple(size[::-1]), origin=tuple(grid.point(start).tolist()))


def on_grid(image: Any, grid: Grid, interpolation: str, outside: float | None = None) -> Any:
    """Return an image resampled onto a grid.

    Args:
        image: SimpleITK image.
        grid: Where the voxels of the result lie.
        interpolation: "linear", "bspline" or "nearest".
        outside: Value of voxels whose centre lies outside the image's extent; by default they take
            the nearest voxel, for grids that leave the image by half a voxel at most.
    """
    sitk = simpleitk()
    method = {
        "linear": sitk.sitkLinear,
        "bspline": sitk.sitkBSpline,
        "nearest": sitk.sitkNearestNeighbor,
    }[interpolation]
    filter = sitk.ResampleImageFilter()
    filter.SetSize(list(grid.size))
    filter.SetOutputSpacing(list(grid.spacing))
    filter.SetOutputOrigin(list(grid.origin))
    filter.SetOutputDirection(list(grid.direction))
    filter.SetInterpolator(method)
    if outside is None:
        filter.SetUseNearestNeighborExtrapolator(True)  # half a voxel at the rim has no neighbours
    else:
        filter.SetDefaultPixelValue(outside)
    return filter.Execute(image)
