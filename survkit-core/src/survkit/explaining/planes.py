"""Three orthogonal slices of a volume, turned as a radiologist looks at them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.token_grid import Axes


class Plane(NamedTuple):
    """How one slice is cut and turned.

    Volumes are in LPS axes (z to the head, y to the back, x to the patient's left). So the right of
    the patient is on the left of the picture, the front at the top or on the left, the head at the
    top.

    Attributes:
        name: Of the plane.
        normal: The axis of the volume that is cut.
        down: The axis that runs down the picture.
        across: The axis that runs to the right.
        upwards: Whether the axis ``down`` is turned over, so that the head is at the top.
        left: What the left edge of the picture is.
    """

    name: str
    normal: int
    down: int
    across: int
    upwards: bool
    left: str


PLANES = (
    Plane("axial", normal=0, down=1, across=2, upwards=False, left="R"),
    Plane("coronal", normal=1, down=0, across=2, upwards=True, left="R"),
    Plane("sagittal", normal=2, down=0, across=1, upwards=True, left="A"),
)


def cut(volume: NDArray[Any], plane: Plane, centre: Axes) -> NDArray[Any]:
    """Return the slice of a volume (z, y, x) through a voxel, its first row at the top."""
    found: NDArray[Any] = np.take(volume, centre[plane.normal], axis=plane.normal)
    return found[::-1] if plane.upwards else found


def size_of(
    plane: Plane, shape: tuple[int, ...], spacing: tuple[float, float, float] | None
) -> tuple[float, float]:
    """Return width and height of the slice in mm, or in voxels where the spacing is not known."""
    step = spacing or (1.0, 1.0, 1.0)
    return shape[plane.across] * step[plane.across], shape[plane.down] * step[plane.down]
