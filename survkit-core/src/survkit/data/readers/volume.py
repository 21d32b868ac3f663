"""Volumes: read, checked, turned to LPS, resampled, cropped and windowed as declared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.modality_config import VolumeModality
from survkit.data.readers.geometry import array_of, crop_or_pad, simpleitk
from survkit.data.readers.grid import on_grid
from survkit.data.readers.image_files import ImageFiles, named_files
from survkit.data.readers.opened_volume import OpenedVolume, open_volume
from survkit.data.readers.prepared_grid import PreparedGrid, prepared_grid
from survkit.data.readers.shared_grid import Block, block_on_grid
from survkit.data.readers.source import Rows
from survkit.data.readers.window import window_ends, windowed
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True)
class VolumeSource:
    """The volumes of all subjects.

    Attributes:
        config: As declared.
        files: By subject.
        modality: Its name.
        reference: The modality whose prepared grid this one has, where ``grid`` names one.
    """

    config: VolumeModality
    files: ImageFiles
    modality: str
    reference: VolumeSource | None = None

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
        sample = self._sample(row)
        return InputSpec(kind="volume", shape=tuple(sample.values.shape), spacing=sample.spacing)

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's volume, float32 (channel, z, y, x), and its mask."""
        return None if self.files.image[row] is None else self._sample(row)

    def take(self, rows: Rows) -> VolumeSource:
        """Return the given subjects."""
        reference = None if self.reference is None else self.reference.take(rows)
        return replace(self, files=self.files.take(rows), reference=reference)

    def identity(self, row: int) -> bytes:
        """Return a digest of the files' bytes, the declared preparation and its library.

        With a shared grid the other volume's bytes and declaration count too: they say where this
        one is cut.
        """
        declared = self.config.model_dump_json(exclude={"path", "mask"})
        version = simpleitk().Version.VersionString()
        parts = self.files.identity(row) + f"{declared}|{version}".encode()
        if self.reference is not None:
            parts += b"|grid|" + self.reference.identity(row)
        return hashlib.sha256(parts).digest()

    def stamp(self) -> bytes:
        """Return a digest of the files' sizes."""
        if self.reference is None:
            return self.files.stamp()
        return hashlib.sha256(self.files.stamp() + self.reference.files.stamp()).digest()

    def _sample(self, row: int) -> Sample:
        reference = self.reference
        if reference is None:
            return read_sample(self.config, self.files, row)
        if reference.files.image[row] is not None:
            return _on_the_grid_of(reference, self, row)
        if self.config.alone is None:
            raise DataError(
                f"{self.files.image[row]}: the subject has '{self.modality}' but not "
                f"'{reference.modality}', whose grid it shares; set modalities.{self.modality}."
                "alone to peak, mask or center to crop such a volume by itself, or empty the cell"
            )
        same = {"spacing": reference.config.spacing, "size": reference.config.size}
        alone = self.config.model_copy(update={**same, "crop": self.config.alone})
        return read_sample(alone, self.files, row)


def open_volumes(
    config: VolumeModality,
    table: TextTable,
    folder: Path,
    modality: str,
    reference: VolumeSource | None = None,
) -> VolumeSource:
    """Find the files that the table names; none is opened yet.

    Raises:
        DataError: There is no such column.
        MissingExtraError: The library that reads them is not installed.
    """
    simpleitk()
    return VolumeSource(config, named_files(config, table, folder), modality, reference)


def read_sample(config: VolumeModality, files: ImageFiles, row: int) -> Sample:
    """Read and prepare one subject's volume on a grid of its own.

    Raises:
        DataError: A file is missing or corrupt, intensities are not finite or all the same, the
            mask is empty or on another grid.
    """
    opened = open_volume(config, files, row)
    place = prepared_grid(config, opened)
    return _sample(config, opened, place.box.spacing_zyx, _own_block(config, opened, place))


def _on_the_grid_of(reference: VolumeSource, moving: VolumeSource, row: int) -> Sample:
    """Read one subject's volume and resample it once, straight to the other's prepared grid."""
    fixed = open_volume(reference.config, reference.files, row)
    opened = open_volume(moving.config, moving.files, row)
    place = prepared_grid(reference.config, fixed)
    block = block_on_grid(opened, moving.config.interpolation, place, fixed, reference.modality)
    return _sample(moving.config, opened, place.box.spacing_zyx, block)


def _own_block(config: VolumeModality, opened: OpenedVolume, place: PreparedGrid) -> Block:
    channels = opened.channels
    if config.spacing is not None:
        channels = [on_grid(image, place.whole, config.interpolation) for image in channels]
    values = np.stack([array_of(image) for image in channels])
    inside = np.ones(place.whole.zyx, dtype=bool)
    if config.size is None or place.centre is None:
        return Block(values, place.region, inside, float(values.min()))
    region = place.region
    return Block(
        crop_or_pad(values, config.size, place.centre, 0.0),
        None if region is None else crop_or_pad(region, config.size, place.centre, False),
        crop_or_pad(inside, config.size, place.centre, False),
        float(values.min()),
    )


def _sample(
    config: VolumeModality, opened: OpenedVolume, spacing: tuple[float, ...], block: Block
) -> Sample:
    """Fill what lies outside the image, and window."""
    values, inside = block.values, block.inside
    seen = values.reshape(len(values), -1) if inside.all() else values[:, inside]
    if seen.size > len(seen) and bool((seen == seen.flat[0]).all()):
        raise DataError(
            f"{opened.path}: every intensity of the prepared volume is {seen.flat[0]:g}, so it "
            "shows nothing; check the file and where the crop is centred"
        )
    window = config.window
    ends = [None if window is None else window_ends(part, window, opened.path) for part in seen]
    for channel, end in zip(values, ends, strict=True):
        fill = config.pad
        if fill is None:
            fill = block.smallest if end is None else end[0]
        channel[~inside] = fill
    parts = [
        channel if end is None else windowed(channel, end)
        for channel, end in zip(values, ends, strict=True)
    ]
    return Sample(
        values=torch.from_numpy(np.stack(parts)),
        mask=None if block.region is None else torch.from_numpy(block.region),
        spacing=spacing,
        source=str(opened.path),
    )
