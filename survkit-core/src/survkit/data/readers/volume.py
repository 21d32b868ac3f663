"""Volumes: read, checked, turned to LPS, resampled, cropped and windowed as declared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.cohort_config import VolumeModality
from survkit.data.readers.geometry import (
    array_of,
    box_centre,
    crop_or_pad,
    read_channels,
    read_volume,
    refuse_other_grid,
    resampled,
    simpleitk,
    spacing_of,
    to_lps,
)
from survkit.data.readers.image_files import (
    ImageFiles,
    existing,
    named_files,
    refuse_not_finite,
    windowed,
)
from survkit.data.readers.source import Rows
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True)
class VolumeSource:
    """The volumes of all subjects."""

    config: VolumeModality
    files: ImageFiles
    modality: str

    @property
    def available(self) -> NDArray[np.bool_]:
        """Which subjects have a volume; bool (subject)."""
        return self.files.available

    def spec(self, rows: Rows) -> InputSpec:
        """Return the shape (channel, z, y, x) that the first of the rows with a volume has.

        Raises:
            DataError: None of the rows has the modality.
        """
        row = next((int(row) for row in rows if self.files.image[row] is not None), None)
        if row is None:
            raise DataError(f"none of {len(rows)} subjects has the modality '{self.modality}'")
        sample = read_sample(self.config, self.files, row)
        return InputSpec(kind="volume", shape=tuple(sample.values.shape), spacing=sample.spacing)

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's volume, float32 (channel, z, y, x), and its mask."""
        if self.files.image[row] is None:
            return None
        return read_sample(self.config, self.files, row)

    def take(self, rows: Rows) -> VolumeSource:
        """Return the given subjects."""
        return replace(self, files=self.files.take(rows))

    def identity(self, row: int) -> bytes:
        """Return a digest of the files' bytes, the declared preparation and its library."""
        declared = self.config.model_dump_json(exclude={"path", "mask"})
        version = simpleitk().Version.VersionString()
        return hashlib.sha256(self.files.identity(row) + f"{declared}|{version}".encode()).digest()

    def stamp(self) -> bytes:
        """Return a digest of the files' sizes."""
        return self.files.stamp()


def open_volumes(
    config: VolumeModality, table: TextTable, folder: Path, modality: str
) -> VolumeSource:
    """Find the files that the table names; none is opened yet.

    Raises:
        DataError: There is no such column.
        MissingExtraError: The library that reads them is not installed.
    """
    simpleitk()
    return VolumeSource(config, named_files(config, table, folder), modality)


def read_sample(config: VolumeModality, files: ImageFiles, row: int) -> Sample:
    """Read and prepare one subject's volume.

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
    channels = [to_lps(image) for image in channels]
    mask = None if mask is None else to_lps(mask)
    if config.spacing is not None:
        channels = [resampled(image, config.spacing, config.interpolation) for image in channels]
        mask = None if mask is None else resampled(mask, config.spacing, "nearest")
    values = np.stack([array_of(image) for image in channels])
    region = None if mask is None else array_of(mask).astype(bool)
    values, region = _cropped(config, values, region, path)
    return Sample(
        values=torch.from_numpy(windowed(values, config.window)),
        mask=None if region is None else torch.from_numpy(region),
        spacing=spacing_of(channels[0]),
        source=str(path),
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


def _cropped(
    config: VolumeModality,
    values: NDArray[np.float32],
    region: NDArray[np.bool_] | None,
    path: Path,
) -> tuple[NDArray[np.float32], NDArray[np.bool_] | None]:
    if config.size is None:
        return values, region
    centre: tuple[int, ...] = tuple(length // 2 for length in values.shape[1:])
    if config.crop == "mask":
        if region is None:
            raise DataError(f"{path}: crop: mask needs a mask, but the subject has none")
        if not region.any():
            raise DataError(f"{path}: the mask vanishes at a spacing of {config.spacing} mm")
        centre = box_centre(region)
    fill = config.pad
    if fill is None:
        fill = float(values.min()) if config.window is None else config.window[0]
    values = crop_or_pad(values, config.size, centre, fill)
    if region is not None:
        region = crop_or_pad(region, config.size, centre, False)
    return values, region
