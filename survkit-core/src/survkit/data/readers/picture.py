"""One picture as its file holds it: every bit kept, bright where dense, in the declared channels.

PNG, JPEG and TIFF are decoded by Pillow; a single file of DICOM by :mod:`survkit.dicom`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.data.modality_config import ImageModality
from survkit.data.readers.image_files import existing
from survkit.dicom.open_dicom import is_dicom
from survkit.errors import DataError

GRAY_MODES = ("L", "I;16", "I;16B", "I;16L", "I")
ORIENTATION_TAG = 0x0112
BITS_TAG, PHOTOMETRIC_TAG, WHITE_IS_ZERO = 258, 262, 0
EIGHT_BITS, SIXTEEN_BITS = (0.0, 255.0), (0.0, 65535.0)


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture before any preparation.

    Attributes:
        values: float32 (channel, y, x).
        full: The least and the most that the file's bits can say; ``None`` where that is not
            known, as in 32-bit TIFF.
    """

    values: NDArray[np.float32]
    full: tuple[float, float] | None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.values.shape[1], self.values.shape[2]


def read_picture(config: ImageModality, path: Path) -> Picture:
    """Read a picture in the declared channels, mirrored if ``invert`` says so.

    Raises:
        DataError: The file is missing or corrupt, holds several pictures, or other colours than
            declared.
    """
    if is_dicom(existing(path)):
        picture = _of_dicom(config, path)
    else:
        with opened(path) as found:
            picture = _coloured(found, config, path)
    if not config.invert:
        return picture
    low, high = known_range(picture, path, "invert: true")
    return Picture((low + high - picture.values).astype(np.float32), picture.full)


def known_range(picture: Picture, path: Path, key: str) -> tuple[float, float]:
    """Return the range of the file's bits.

    Raises:
        DataError: It is not known.
    """
    if picture.full is None:
        raise DataError(
            f"{path}: {key} needs to know how many bits a pixel has, which a file of signed or "
            "32-bit integers does not say; save it in 8 or 16 bits"
        )
    return picture.full


def picture_size(path: Path) -> tuple[int, int]:
    """Return height and width as the header says them, turned as the orientation tag says.

    Raises:
        DataError: The file is missing or no picture.
    """
    if is_dicom(existing(path)):
        from survkit.dicom.radiograph import radiograph_size

        return radiograph_size(path)
    with opened(path) as found:
        turned = found.getexif().get(ORIENTATION_TAG, 1) in (5, 6, 7, 8)
        return (found.width, found.height) if turned else (found.height, found.width)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Give Pillow's picture; what fails while it is open is told as an unreadable image.

    Raises:
        DataError: The file is missing, corrupt, or has too many pixels.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(existing(path)) as found:
                yield found
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"{path}: too many pixels for a radiograph: {error}") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable image: {error}") from error


def upright(found: Any, path: Path) -> Any:
    """Return the decoded picture, turned as its own orientation tag says.

    Raises:
        DataError: The file holds several pictures.
    """
    from PIL import ImageOps

    frames = getattr(found, "n_frames", 1)
    if frames != 1:
        raise DataError(
            f"{path}: a file holds one picture, but this one holds {frames}; save the one that is "
            "meant as a file of its own"
        )
    found.load()
    turned = found.getexif().get(ORIENTATION_TAG, 1) != 1
    return ImageOps.exif_transpose(found) if turned else found.copy()


def _of_dicom(config: ImageModality, path: Path) -> Picture:
    from survkit.dicom.radiograph import read_radiograph

    found = read_radiograph(path)
    if config.color == "rgb" and not config.convert:
        raise DataError(_other_colour(path, "gray", config))
    channels = 3 if config.color == "rgb" else 1
    return Picture(np.repeat(found.values[None], channels, axis=0), found.full)


def _coloured(found: Any, config: ImageModality, path: Path) -> Picture:
    """Return the declared channels; gray stays exact, and gray as rgb is three times itself."""
    _refuse_cut_bits(found, path)
    kind, tags = found.format, getattr(found, "tag_v2", {})
    picture = upright(found, path)
    gray = picture.mode in GRAY_MODES
    declared = gray if config.color == "gray" else picture.mode == "RGB"
    if not declared and not config.convert:
        raise DataError(_other_colour(path, picture.mode, config, same=_same_channels(picture)))
    if not gray:
        mode = "L" if config.color == "gray" else "RGB"
        values = np.asarray(picture if declared else picture.convert(mode), dtype=np.float32)
        return Picture(values[None] if mode == "L" else values.transpose(2, 0, 1), EIGHT_BITS)
    values = np.asarray(picture).astype(np.float32)
    full = _full_range(picture.mode, kind, tags)
    if tags.get(PHOTOMETRIC_TAG) == WHITE_IS_ZERO and picture.mode != "L" and full is not None:
        values = full[0] + full[1] - values  # of 8 bits Pillow does it
    return Picture(np.repeat(values[None], 3 if config.color == "rgb" else 1, axis=0), full)


def _full_range(mode: str, kind: str, tags: Any) -> tuple[float, float] | None:
    if mode == "L":
        return EIGHT_BITS
    if kind == "TIFF":
        bits = tags.get(BITS_TAG, (16,))[0]
        return None if mode == "I" else (0.0, float(2**bits - 1))
    return SIXTEEN_BITS


def _refuse_cut_bits(found: Any, path: Path) -> None:
    """Refuse what would be cut to 8 bits: 16 per channel beside colour or alpha, and floats."""
    if found.mode == "F":  # Pillow converts it by clipping to 0 to 255 and cutting the decimals
        raise DataError(
            f"{path}: its pixels are floating-point numbers, which have no range that says what "
            "gray is; save the picture in 8 or 16 bits"
        )
    if found.mode not in GRAY_MODES and ";16" in str(getattr(found, "tile", "")):
        raise DataError(
            f"{path}: 16 bits in each of several channels ({found.mode}) would be cut to 8; save "
            "the picture in 16-bit gray without alpha, or in 8 bits"
        )


def _same_channels(picture: Any) -> bool:
    """Whether the picture is gray, though it is stored in colours, and nothing is transparent."""
    if picture.mode in GRAY_MODES or picture.mode == "CMYK":
        return False
    values = np.asarray(picture.convert("RGBA"))
    same = (values[..., 0] == values[..., 1]) & (values[..., 1] == values[..., 2])
    return bool(same.all() and (values[..., 3] == 255).all())


def _other_colour(path: Path, mode: str, config: ImageModality, *, same: bool = False) -> str:
    said = f"{path}: the image is {mode}, but color: {config.color} is declared; "
    if config.color == "gray" and same:
        return said + (
            "its channels are equal in every pixel, so convert: true reads it as gray without loss"
        )
    return said + "convert the file, or set convert: true to do it while reading"
