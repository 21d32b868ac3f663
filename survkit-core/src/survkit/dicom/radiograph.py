"""One DICOM file of a radiograph: its picture in stored or rescaled values, bright where dense."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from survkit.dicom.decode import stored_planes
from survkit.dicom.header import FileHeader, read_header
from survkit.dicom.kinds import SECONDARY_CAPTURES, is_radiograph, set_aside
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.pixel_format import check_pixel_format
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.silent import silent_pydicom
from survkit.dicom.tag_values import items, text
from survkit.errors import DataError

PROJECTION_CODES = frozenset({"CR", "DX", "RG"})
"""Modality of a radiograph that was exported as a secondary capture, as archives do."""
MOST_BITS = 24
"""Whole numbers of more bits are not exact in float32."""
SQUARE = 0.01
"""Sides of a pixel may differ by this share."""
_SHAPE, _LUT = "PresentationLUTShape", "ModalityLUTSequence"
_WANTED = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}


@dataclass(frozen=True, slots=True)
class Radiograph:
    """A picture in which higher means denser tissue, as MONOCHROME2 shows it.

    Attributes:
        values: Stored values after slope and intercept; float32 (row, column). No VOI window or
            LUT is applied.
        full: The least and the most that its bits can say, after slope and intercept.
    """

    values: NDArray[np.float32]
    full: tuple[float, float]


@silent_pydicom()
def read_radiograph(path: Path) -> Radiograph:
    """Read a file with one projection image in one channel.

    In MONOCHROME1 the least value is shown white, so values are mirrored within the range of their
    bits. Padding (a collimator's rim) keeps its values.

    Raises:
        DataError: Not a radiograph, several frames, colour, pixels that are not square, a
            non-linear modality LUT, contradicting tags, or damaged.
        MissingExtraError: pydicom is not installed.

    Reference: DICOM PS3.3 C.7.6.3.1.2 (photometric interpretation), C.11.1 (modality LUT), C.11.6
    (presentation LUT).
    """
    try:
        header = read_header(path)
        _check(header)
        stored = next(stored_planes(header, [0]))
    except RefusedSeriesError as error:
        raise DataError(f"{path}: {error}") from error
    frame = header.frames[0]
    slope = 1.0 if frame.slope is None else frame.slope
    intercept = 0.0 if frame.intercept is None else frame.intercept
    bits = header.bits_stored or 16
    least = -(1 << (bits - 1)) if header.pixel_representation == 1 else 0
    ends = (least * slope + intercept, (least + (1 << bits) - 1) * slope + intercept)
    full = (min(ends), max(ends))
    values = stored * slope + intercept
    if header.photometric == "MONOCHROME1":
        values = full[0] + full[1] - values
    return Radiograph(values.astype(np.float32), full)


@silent_pydicom()
def radiograph_size(path: Path) -> tuple[int, int]:
    """Return rows and columns as the header says them; the pixels are not read.

    Raises:
        DataError: Not DICOM, or the header does not say.
    """
    header = read_header(path)
    if not header.rows or not header.columns:
        raise DataError(f"{path}: the header has no Rows and Columns")
    return header.rows, header.columns


def _check(header: FileHeader) -> None:
    if header.problems:
        raise RefusedSeriesError("tags", f"{header.problems[0]}; correct the tag")
    _check_kind(header)
    if len(header.frames) != 1:
        raise RefusedSeriesError(
            "multi-frame",
            f"a radiograph has one frame, but this file has {len(header.frames)}; export the one "
            "that is meant as a file of its own",
        )
    check_pixel_format(header)
    if (header.bits_stored or 0) > MOST_BITS:
        raise RefusedSeriesError(
            "bits",
            f"BitsStored must be at most {MOST_BITS} to be read exactly, but is "
            f"{header.bits_stored}",
        )
    _check_rescaling(header)
    _check_square(header)


def _check_kind(header: FileHeader) -> None:
    captured = header.sop_class in SECONDARY_CAPTURES and header.modality in PROJECTION_CODES
    if not is_radiograph(header) and not captured:
        raise RefusedSeriesError(
            "kind",
            "kind: image reads a radiograph (CR, DX, or a secondary capture of one), but this "
            f"object's Modality is '{header.modality[:16]}'; a CT, MR or PET is kind: volume",
        )
    aside = None if captured else set_aside(header)
    if aside is not None and aside[0] == "screenshot":
        raise RefusedSeriesError(*aside)


def _check_rescaling(header: FileHeader) -> None:
    data = open_dicom(header.path, [_SHAPE, _LUT])
    if items(data, _LUT):
        raise RefusedSeriesError(
            "modality-lut",
            "a non-linear ModalityLUTSequence is not applied; export the picture with its values "
            "rescaled",
        )
    shape, wanted = text(data, _SHAPE).upper(), _WANTED[header.photometric]
    if shape and shape != wanted:
        raise RefusedSeriesError(
            "photometric",
            f"{header.photometric} goes with PresentationLUTShape {wanted}, but it is "
            f"'{shape[:16]}', so what is bright cannot be told; correct one of the tags",
        )
    frame = header.frames[0]
    if (frame.slope is None) != (frame.intercept is None) or frame.slope == 0:
        raise RefusedSeriesError(
            "no-rescale",
            "RescaleSlope (not 0) and RescaleIntercept stand together or not at all, but are "
            f"{frame.slope} and {frame.intercept}; correct the tags",
        )


def _check_square(header: FileHeader) -> None:
    spacing = header.frames[0].spacing or header.frames[0].detector_spacing
    if spacing is None:
        return
    if min(spacing) <= 0 or max(spacing) / min(spacing) > 1 + SQUARE:
        raise RefusedSeriesError(
            "pixel-shape",
            f"pixels must be square, but are {spacing[0]:g} x {spacing[1]:g} mm; resample the "
            "picture",
        )
