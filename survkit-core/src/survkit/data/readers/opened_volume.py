"""One subject's volume as it was read: checked, turned to LPS, nothing resampled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data.modality_config import VolumeModality
from survkit.data.readers.geometry import (
    array_of,
    read_channels,
    read_volume,
    refuse_other_grid,
    simpleitk,
    to_lps,
)
from survkit.data.readers.image_files import ImageFiles, existing, refuse_not_finite
from survkit.errors import DataError


@dataclass(frozen=True, slots=True)
class OpenedVolume:
    """A volume in memory.

    Attributes:
        channels: SimpleITK images with axes along L, P and S; float32.
        mask: The region on the same grid, 0 and 1; ``None`` without one.
        path: Of the image, for messages.
    """

    channels: list[Any]
    mask: Any | None
    path: Path


def open_volume(config: VolumeModality, files: ImageFiles, row: int) -> OpenedVolume:
    """Read a subject's volume and mask.

    Raises:
        DataError: A file is missing or corrupt, intensities are not finite, the mask is empty or on
            another grid.
    """
    path, mask_path = files.image[row], files.mask[row]
    if path is None:
        raise DataError(f"row {row} has no volume")
    channels = read_channels(path, config.channel)
    mask = None if mask_path is None else _read_mask(mask_path, config.label, channels[0])
    for image in channels:
        refuse_not_finite(array_of(image), path)
    return OpenedVolume(
        [to_lps(image) for image in channels], None if mask is None else to_lps(mask), path
    )


def _read_mask(path: Path, label: int | None, image: Any) -> Any:
    sitk = simpleitk()
    mask = read_volume(existing(path))  # a file: a series of slices is no region
    if mask.GetNumberOfComponentsPerPixel() != 1:
        raise DataError(
            f"{path}: a mask has one channel, not {mask.GetNumberOfComponentsPerPixel()}"
        )
    refuse_other_grid(image, mask, path)
    region = sitk.Cast(mask != 0 if label is None else mask == label, sitk.sitkUInt8)
    if not array_of(region).any():
        what = "every voxel is 0" if label is None else f"no voxel has the value {label}"
        raise DataError(f"{path}: the mask is empty: {what}")
    return region
