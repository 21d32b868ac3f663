"""Whether a file's pixels can be read and mean something, judged by its header alone."""

from __future__ import annotations

import math

from survkit.dicom.header import FileHeader
from survkit.dicom.kinds import VOLUME_MODALITIES, is_radiograph
from survkit.dicom.libraries import pydicom
from survkit.dicom.refused_series import RefusedSeriesError

MAX_PLANE_VOXELS = 2**26
"""A slice may have so many voxels (8192 × 8192)."""
MAX_VOLUME_VOXELS = 2**30
"""A volume may have so many voxels (4 GiB as float32)."""

NATIVE = frozenset(
    {
        "1.2.840.10008.1.2",
        "1.2.840.10008.1.2.1",
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.2",
    }
)
"""Uncompressed and deflated."""
RLE = "1.2.840.10008.1.2.5"
JPEG = frozenset(f"1.2.840.10008.1.2.4.{part}" for part in (50, 51, 57, 70))
JPEG_LS = frozenset(f"1.2.840.10008.1.2.4.{part}" for part in (80, 81))
JPEG_2000 = frozenset(f"1.2.840.10008.1.2.4.{part}" for part in (90, 91))
LOSSY = frozenset(f"1.2.840.10008.1.2.4.{part}" for part in (50, 51, 81, 91))
"""Syntaxes that may have lost detail."""
RESCALED = {"CT": "HU", "PT": "activity"}
"""Modalities whose stored values mean nothing without slope and intercept."""


def syntax_name(transfer_syntax: str) -> str:
    """Return the transfer syntax in words."""
    if not transfer_syntax:
        return "none"
    known = pydicom().uid.UID_dictionary.get(transfer_syntax)
    return transfer_syntax[:64] if known is None else str(known[0])


def check_pixel_format(header: FileHeader) -> None:
    """Refuse pixels that cannot be decoded, or that are too many.

    Raises:
        RefusedSeriesError: With the rule and a reason.
    """
    _check_syntax(header)
    rows, columns = header.rows or 0, header.columns or 0
    if rows < 1 or columns < 1:
        raise RefusedSeriesError(
            "size", f"Rows and Columns must be 1 or more, but are {header.rows} x {header.columns}"
        )
    if rows * columns > MAX_PLANE_VOXELS:
        raise RefusedSeriesError(
            "too-large",
            f"a slice of {rows} x {columns} voxels is beyond the limit of {MAX_PLANE_VOXELS}",
        )
    if rows * columns * len(header.frames) > MAX_VOLUME_VOXELS:
        raise RefusedSeriesError(
            "too-large",
            f"{len(header.frames)} frames of {rows} x {columns} voxels are beyond the limit of "
            f"{MAX_VOLUME_VOXELS}",
        )
    _check_bits(header)


def _check_syntax(header: FileHeader) -> None:
    readable = NATIVE | {RLE} | JPEG | JPEG_LS | JPEG_2000
    if header.transfer_syntax not in readable:
        raise RefusedSeriesError(
            "transfer-syntax",
            f"the transfer syntax '{syntax_name(header.transfer_syntax)}' cannot be decoded; "
            "convert to an uncompressed one (dcmconv, gdcmconv)",
        )


def _check_bits(header: FileHeader) -> None:
    allocated, stored = header.bits_allocated, header.bits_stored
    if allocated not in (8, 16, 32) or stored is None or not 1 <= stored <= allocated:
        raise RefusedSeriesError(
            "bits",
            "BitsAllocated must be 8, 16 or 32 and BitsStored at most that, but they are "
            f"{allocated} and {stored}",
        )
    if header.high_bit not in (None, stored - 1):
        raise RefusedSeriesError(
            "bits",
            f"HighBit must be BitsStored - 1 = {stored - 1}, but is {header.high_bit}",
        )
    if header.pixel_representation not in (0, 1):
        raise RefusedSeriesError(
            "bits",
            "PixelRepresentation must be 0 (unsigned) or 1 (signed), but is "
            f"{header.pixel_representation}",
        )
    if header.samples != 1 or header.photometric not in ("MONOCHROME1", "MONOCHROME2"):
        raise RefusedSeriesError(
            "colour",
            "an image must have one sample per pixel in MONOCHROME1 or MONOCHROME2, but has "
            f"{header.samples} in '{header.photometric}'",
        )


def check_rescale(header: FileHeader) -> None:
    """Refuse a CT or PET without slope and intercept, a CT whose values are no HU, a false name.

    Raises:
        RefusedSeriesError: With the rule and a reason.
    """
    if is_radiograph(header):
        return
    expected = VOLUME_MODALITIES.get(header.sop_class)
    if header.modality != expected:
        raise RefusedSeriesError(
            "modality",
            f"an object of this kind (SOP class) must have the Modality '{expected}', but has "
            f"'{header.modality[:16]}'; correct the tag",
        )
    meaning = RESCALED.get(header.modality)
    for frame in header.frames:
        missing = [
            name
            for name, value in (
                ("RescaleSlope", frame.slope),
                ("RescaleIntercept", frame.intercept),
            )
            if value is None
        ]
        if missing and (meaning is not None or len(missing) == 1):
            raise RefusedSeriesError(
                "no-rescale",
                f"{' and '.join(missing)} must say how stored values become "
                f"{meaning or 'intensities'}, but are absent; export again with all tags",
            )
        if frame.slope is not None and (frame.slope == 0 or not math.isfinite(frame.slope)):
            raise RefusedSeriesError(
                "no-rescale", f"RescaleSlope must not be 0, but is {frame.slope:g}"
            )
        kind = frame.rescale_type or header.rescale_type
        if header.modality == "CT" and kind not in ("", "HU"):
            raise RefusedSeriesError(
                "rescale-type", f"a CT must be in HU, but its RescaleType is '{kind[:16]}'"
            )
