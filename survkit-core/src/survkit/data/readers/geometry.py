"""Volumes in one orientation on one grid; geometry is asserted, never assumed.

Images are SimpleITK's: origin, spacing and direction in mm of the LPS patient system, axes (x, y,
z). Arrays are (z, y, x) of the image turned so that its axes run along L, P and S as closely as
they can.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.data.readers.dicom_folder import read_dicom_folder
from survkit.data.readers.image_files import existing
from survkit.data.readers.nifti_file import is_nifti, refuse_damaged_nifti
from survkit.errors import DataError, MissingExtraError


def simpleitk() -> Any:
    """Return the SimpleITK module.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import SimpleITK
    except ImportError as error:
        raise MissingExtraError(
            "reading volumes needs SimpleITK: pip install 'survkit-core[imaging]'"
        ) from error
    return SimpleITK


def read_channels(path: Path, channel: int | None) -> list[Any]:
    """Return the channels of a volume as float32 images.

    Raises:
        DataError: No such file, unreadable, not 3-D, or without that channel.
    """
    image = read_volume(path)
    sitk = simpleitk()
    count = image.GetNumberOfComponentsPerPixel()
    if channel is not None and channel >= count:
        raise DataError(f"{path}: channel {channel} was asked, but it has {count} (from 0)")
    chosen = range(count) if channel is None else [channel]
    parts = (
        [image] if count == 1 else [sitk.VectorIndexSelectionCast(image, index) for index in chosen]
    )
    return [sitk.Cast(part, sitk.sitkFloat32) for part in parts]


def read_volume(path: Path) -> Any:
    """Return a 3-D image; the fourth axis of a 4-D file becomes its components.

    Raises:
        DataError: No such file, unreadable, or not 3-D; a folder that is not one DICOM series.
    """
    sitk = simpleitk()
    if path.is_dir():
        return read_dicom_folder(path)
    if is_nifti(existing(path)):
        refuse_damaged_nifti(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1].strip()
        raise DataError(f"{path}: not a readable image: {reason}") from error
    if image.GetDimension() == 4:
        frames = [image[:, :, :, index] for index in range(image.GetSize()[3])]
        image = sitk.Compose(frames) if len(frames) > 1 else frames[0]
    if image.GetDimension() != 3:
        raise DataError(f"{path}: a volume has 3 axes, but this image has {image.GetDimension()}")
    return image


def refuse_other_grid(image: Any, mask: Any, path: Path) -> None:
    """Refuse a mask that is not on the image's grid.

    Raises:
        DataError: Size, spacing (beyond 0.1 %), origin (beyond 5 % of a voxel) or direction (beyond
            0.001) differ.
    """
    tolerance = {
        "size": 0.0,
        "spacing": 1e-3 * min(image.GetSpacing()),
        "origin": 0.05 * min(image.GetSpacing()),
        "direction": 1e-3,
    }
    for name, allowed in tolerance.items():
        expected, found = (getattr(part, f"Get{name.title()}")() for part in (image, mask))
        if not np.allclose(expected, found, rtol=0, atol=allowed):
            raise DataError(
                f"{path}: the mask's {name} {_shown(found)} is not the image's {_shown(expected)}; "
                "resample the mask to the image"
            )


def to_lps(image: Any) -> Any:
    """Return the image with its axes flipped and permuted towards L, P and S."""
    return simpleitk().DICOMOrient(image, "LPS")


def array_of(image: Any) -> NDArray[Any]:
    """Return the voxels as (z, y, x)."""
    return np.asarray(simpleitk().GetArrayFromImage(image))


def box_centre(mask: NDArray[np.bool_]) -> tuple[int, ...]:
    """Return the middle of the mask's bounding box."""
    return tuple((int(axis.min()) + int(axis.max()) + 1) // 2 for axis in np.nonzero(mask))


def crop_or_pad(
    array: NDArray[Any], size: Sequence[int], centre: Sequence[int], fill: float | bool
) -> NDArray[Any]:
    """Return the block of a size round a centre in the last axes; outside stands ``fill``."""
    lead = array.ndim - len(size)
    block = np.full((*array.shape[:lead], *size), fill, dtype=array.dtype)
    source, target = [slice(None)] * lead, [slice(None)] * lead
    for length, wanted, middle in zip(array.shape[lead:], size, centre, strict=True):
        start = middle - wanted // 2
        low, high = max(start, 0), max(min(start + wanted, length), max(start, 0))
        source.append(slice(low, high))
        target.append(slice(low - start, high - start))
    block[tuple(target)] = array[tuple(source)]
    return block


def _shown(values: Sequence[float]) -> str:
    return "(" + ", ".join(f"{value:.6g}" for value in values) + ")"
