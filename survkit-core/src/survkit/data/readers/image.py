"""PNG and JPEG images, read, checked, resized and windowed exactly as declared."""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.modality_config import ImageModality
from survkit.data.readers.image_files import ImageFiles, existing, named_files
from survkit.data.readers.source import Rows
from survkit.data.readers.window import window_ends, windowed
from survkit.data.text_table import TextTable
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputSpec

GRAY_MODES = ("L", "I;16", "I;16B", "I;16L", "I")
ORIENTATION_TAG = 0x0112


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
    """Read and prepare one subject's image; intensities are the file's unless windowed.

    Raises:
        DataError: A file is missing or corrupt, has other colours than declared, or the mask does
            not fit.
    """
    path, mask_path = files.image[row], files.mask[row]
    if path is None:
        raise DataError(f"row {row} has no image")
    picture = _coloured(_opened(path), config, path)
    planes = [picture] if config.color == "gray" else list(picture.split())
    values = np.stack([np.asarray(_resized(plane, config.size)) for plane in planes])
    values = values.astype(np.float32)
    if config.window is not None:
        values = windowed(values, window_ends(values, config.window, path))
    mask = None
    if mask_path is not None:
        mask = torch.from_numpy(_read_mask(mask_path, config, picture.size))
    return Sample(
        values=torch.from_numpy(values),
        mask=mask,
        source=str(path),
    )


def _opened(path: Path) -> Any:
    """Return the decoded picture, turned as its own orientation tag says."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(existing(path)) as picture:
                picture.load()
                turned = picture.getexif().get(ORIENTATION_TAG, 1) != 1
                return ImageOps.exif_transpose(picture) if turned else picture.copy()
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path}: too many pixels for a radiograph: {error}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable image: {error}") from error


def _coloured(picture: Any, config: ImageModality, path: Path) -> Any:
    wanted = GRAY_MODES if config.color == "gray" else ("RGB",)
    if picture.mode in wanted:
        return picture
    if not config.convert:
        raise DataError(
            f"{path}: the image is {picture.mode}, but color: {config.color} is declared; convert "
            "the file, or set convert: true to do it while reading"
        )
    return picture.convert("L" if config.color == "gray" else "RGB")


def _resized(plane: Any, size: list[int] | None) -> Any:
    from PIL import Image

    exact = Image.fromarray(np.asarray(plane).astype(np.float32))
    if size is None or (plane.height, plane.width) == tuple(size):
        return exact
    return exact.resize((size[1], size[0]), Image.Resampling.BILINEAR)


def _read_mask(path: Path, config: ImageModality, size: tuple[int, int]) -> NDArray[np.bool_]:
    from PIL import Image

    picture = _opened(path)
    if picture.mode not in (*GRAY_MODES, "1", "P"):
        raise DataError(f"{path}: a mask has one channel, but this image is {picture.mode}")
    if picture.size != size:
        raise DataError(
            f"{path}: the mask has {picture.size[0]} x {picture.size[1]} pixels, but its image "
            f"{size[0]} x {size[1]}"
        )
    values = np.asarray(picture)
    region = values != 0 if config.label is None else values == config.label
    if not region.any():
        raise DataError(f"{path}: the mask is empty")
    if config.size is None:
        return np.asarray(region)
    small = Image.fromarray(region.astype(np.uint8)).resize(
        (config.size[1], config.size[0]), Image.Resampling.NEAREST
    )
    return np.asarray(small).astype(bool)
