"""Points of the patient in the voxel coordinates of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

PLANE_TOLERANCE = 0.05
"""How far, in voxels, something may lie from the centre of the voxels it claims to describe."""


@dataclass(frozen=True, slots=True)
class MaskGrid:
    """The grid of an image.

    Attributes:
        size: Voxels (x, y, z).
        spacing: In mm (x, y, z).
        origin: Centre of the first voxel; LPS in mm.
        direction: Columns are the unit vectors of the axes x, y and z.
    """

    size: tuple[int, int, int]
    spacing: NDArray[np.float64]
    origin: NDArray[np.float64]
    direction: NDArray[np.float64]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels as (z, y, x), the order of arrays."""
        x, y, z = self.size
        return (z, y, x)

    def voxels(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points (n, 3) in mm as voxel coordinates (x, y, z); 0 is the first's centre."""
        # The direction is orthonormal, so its transpose is its inverse.
        inside: NDArray[np.float64] = (points - self.origin) @ self.direction / self.spacing
        return inside


def grid_of(image: Any) -> MaskGrid:
    """Return the grid of a SimpleITK image of three axes."""
    x, y, z = image.GetSize()
    return MaskGrid(
        (x, y, z),
        np.array(image.GetSpacing(), dtype=np.float64),
        np.array(image.GetOrigin(), dtype=np.float64),
        np.array(image.GetDirection(), dtype=np.float64).reshape(3, 3),
    )
