"""Radiographs, read, checked, resized and windowed exactly as declared."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.modality_config import ImageModality
from survkit.data.readers.fit import fitted, padded
from survkit.data.readers.image_files import ImageFiles, named_files
from survkit.data.readers.picture import (
    GRAY_MODES,
    Picture,
    known_range,
    opened,
    read_picture,
    upright,
)
from survkit.data.readers.source import Rows
from survkit.data.readers.window import Ends, window_ends, windowed
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputSpec


@dataclass(frozen=True, slots=True)
class ImageSource:
    """The images of all subjects."""

    config: ImageModality
    files: ImageFiles
    modality: str

    @property
    def available(self) -> NDArray[np.bool_]:
        """Which subjects have an image; bool (subject)."""
        return self.files.available

    def spec(self, rows: Rows) -> InputSpec:
        """Return the shape (channel, y, x) that the first of the rows with an image has.

        Raises:
            DataError: None of the rows has the modality.
        """
        row = next((int(row) for row in rows if self.files.image[row] is not None), None)
        if row is None:
            raise DataError(f"none of {len(rows)} subjects has the modality '{self.modality}'")
        return InputSpec(
            kind="image", shape=tuple(read_sample(self.config, self.files, row).values.shape)
        )

    def read(self, row: int, spec: InputSpec) -> Sample | None:
        """Return one subject's image, float32 (channel, y, x), and its mask."""
        if self.files.image[row] is None:
            return None
        return read_sample(self.config, self.files, row)

    def take(self, rows: Rows) -> ImageSource:
        """Return the given subjects."""
        return replace(self, files=self.files.take(rows))

    def identity(self, row: int) -> bytes:
        """Return a digest of the files' bytes, the declared preparation and its library."""
        import PIL

        declared = self.config.model_dump_json(exclude={"path", "mask"})
        text = f"{declared}|{PIL.__version__}"
        return hashlib.sha256(self.files.identity(row) + text.encode()).digest()

    def stamp(self) -> bytes:
        """Return a digest of the files' sizes."""
        return self.files.stamp()


def open_images(
    config: ImageModality, table: TextTable, folder: Path, modality: str
) -> ImageSource:
    """Find the files that the table names; none is opened yet.

    Raises:
        DataError: There is no such column.
    """
    return ImageSource(config, named_files(config, table, folder), modality)


def read_sample(config: ImageModality, files: ImageFiles, row: int) -> Sample:
    """Read and prepare one subject's image; intensities are the file's unless ``window`` or
    ``range`` is declared.

    Raises:
        DataError: A file is missing or corrupt, has other colours than declared, or the mask does
            not fit.
    """
    path, mask_path = files.image[row], files.mask[row]
    if path is None:
        raise DataError(f"row {row} has no image")
    picture = read_picture(config, path)
    values = np.stack([fitted(plane, config.size, config.fit) for plane in picture.values])
    ends = _ends(config, picture, values, path)
    fill = float(values.min()) if ends is None else ends[0]
    with np.errstate(over="ignore", invalid="ignore"):  # what it makes is refused below
        filled = np.array([fill if config.pad is None else config.pad], dtype=np.float32)
        values, outside = (_mapped(config, part, ends) for part in (values, filled))
    values = np.stack([padded(plane, config.size, float(outside[0])) for plane in values])
    _refuse_beyond_float32(values, config, path)
    mask = None
    if mask_path is not None:
        mask = torch.from_numpy(_read_mask(mask_path, config, picture.size))
    return Sample(
        values=torch.from_numpy(values),
        mask=mask,
        source=str(path),
    )


def _refuse_beyond_float32(values: NDArray[np.float32], config: ImageModality, path: Path) -> None:
    wrong = int(values.size - np.isfinite(values).sum())
    if wrong:
        raise DataError(
            f"{path}: with window {config.window}, range {config.range} and pad {config.pad} "
            f"{wrong} of {values.size} intensities have no value in float32; declare ordinary "
            "numbers"
        )


def _ends(
    config: ImageModality, picture: Picture, values: NDArray[np.float32], path: Path
) -> Ends | None:
    """Return the intensities that the range's ends stand for: the window's, or the file's bits'."""
    if config.window is not None:
        return window_ends(values, config.window, path)
    return None if config.range is None else known_range(picture, path, "range")


def _mapped(
    config: ImageModality, values: NDArray[np.float32], ends: Ends | None
) -> NDArray[np.float32]:
    if ends is None:
        return values
    if config.range is None:
        return windowed(values, ends)
    return np.interp(values, ends, config.range).astype(np.float32)


def _read_mask(path: Path, config: ImageModality, size: tuple[int, int]) -> NDArray[np.bool_]:
    with opened(path) as found:
        picture = upright(found, path)
    if picture.mode not in (*GRAY_MODES, "1", "P"):
        raise DataError(f"{path}: a mask has one channel, but this image is {picture.mode}")
    if (picture.height, picture.width) != size:
        raise DataError(
            f"{path}: the mask has {picture.width} x {picture.height} pixels, but its image "
            f"{size[1]} x {size[0]}"
        )
    values = np.asarray(picture)
    region = values != 0 if config.label is None else values == config.label
    if not region.any():
        raise DataError(f"{path}: the mask is empty")
    small = fitted(region.astype(np.uint8), config.size, config.fit, nearest=True)
    if not small.any():
        raise DataError(
            f"{path}: nothing is left of the mask at size {config.size} with fit: {config.fit}"
        )
    return padded(small.astype(bool), config.size, False)
