"""A CT and a PET of one patient, painted with functions of the place, on grids of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from numpy.typing import NDArray

from survkit.data.cohort import Cohort
from survkit.protocols import Sample

SPOT = (30.0, -12.0, 18.0)
"""Where every image has its brightest place, LPS in mm (x, y, z)."""


def painted(
    shape: tuple[int, ...],
    spacing: tuple[float, ...],
    origin: tuple[float, ...],
    paint: Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], NDArray[Any]],
    orientation: str = "LPS",
) -> Any:
    """Return an image, all in (x, y, z), whose intensities are a function of the point in mm."""
    x, y, z = (
        np.arange(n) * step + start for n, step, start in zip(shape, spacing, origin, strict=True)
    )
    values = paint(x[None, None, :], y[None, :, None], z[:, None, None])
    image = sitk.GetImageFromArray(np.ascontiguousarray(values, dtype=np.float32))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    return sitk.DICOMOrient(image, orientation)


def plane(x: Any, y: Any, z: Any) -> Any:
    """An intensity that says where it is: linear interpolation keeps it exactly."""
    return 500.0 + x + 3.0 * y - 2.0 * z


def spot(x: Any, y: Any, z: Any) -> Any:
    """A hot place of 8 mm and, elsewhere, one voxel of noise that is brighter still."""
    distance = (x - SPOT[0]) ** 2 + (y - SPOT[1]) ** 2 + (z - SPOT[2]) ** 2
    values = 10.0 * np.exp(-distance / (2 * 8.0**2)) + 0.0 * (x + y + z)
    values[2, 3, 4] = 12.0
    return values


CT_GRID = ((60, 50, 24), (2.0, 2.0, 3.0), (-40.0, -60.0, -20.0))
PET_GRID = ((40, 36, 30), (4.1, 4.1, 3.7), (-63.0, -82.0, -41.0))


@pytest.fixture
def petct(small: Any) -> Any:
    """Three subjects with CT and PET of other grids, sizes and axes."""
    sitk.WriteImage(painted(*CT_GRID, plane), str(small.folder / "ct.nii.gz"))
    sitk.WriteImage(painted(*PET_GRID, plane, "RAI"), str(small.folder / "pet.nii.gz"))
    small.rows = small.rows[:3]
    for row in small.rows:
        row |= {"ct": "ct.nii.gz", "pet": "pet.nii.gz", "gtv": "", "pet_gtv": ""}
    small.config["modalities"] = {
        "ct": {"kind": "volume", "path": "ct", "spacing": [4, 4, 4], "size": [8, 9, 10]},
        "pet": {"kind": "volume", "path": "pet", "grid": "ct"},
    }
    return small


def ball(folder: Path, image: str, name: str, radius: float = 9.0) -> str:
    """Write the mask of a ball round the spot on an image's grid."""
    own = sitk.ReadImage(str(folder / image))
    grid = sitk.DICOMOrient(own, "LPS")

    def inside(x: Any, y: Any, z: Any) -> Any:
        return (x - SPOT[0]) ** 2 + (y - SPOT[1]) ** 2 + (z - SPOT[2]) ** 2 <= radius**2

    axes = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(own.GetDirection())
    mask = painted(grid.GetSize(), grid.GetSpacing(), grid.GetOrigin(), inside, axes)
    mask = sitk.Cast(mask, sitk.sitkUInt8)
    sitk.WriteImage(mask, str(folder / name))
    return name


def sample(cohort: Cohort, modality: str, row: int = 0) -> Sample:
    """Return a subject's prepared volume."""
    found = cohort.read_sample(modality, row, cohort.input_spec(modality, [row]))
    assert found is not None
    return found
