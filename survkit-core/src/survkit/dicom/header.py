"""What is read of a file's header, once and without its pixels."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.dicom.frame import FRAME_TAGS, Frame, read_frames
from survkit.dicom.open_dicom import open_dicom
from survkit.dicom.tag_values import WrongTagError, number, text, whole

_TEXT = {
    "sop_class": "SOPClassUID",
    "modality": "Modality",
    "patient_id": "PatientID",
    "study_uid": "StudyInstanceUID",
    "series_uid": "SeriesInstanceUID",
    "sop_uid": "SOPInstanceUID",
    "frame_uid": "FrameOfReferenceUID",
    "description": "SeriesDescription",
    "study_date": "StudyDate",
    "study_time": "StudyTime",
    "kernel": "ConvolutionKernel",
    "photometric": "PhotometricInterpretation",
    "rescale_type": "RescaleType",
    "units": "Units",
}
_WHOLE = {
    "series_number": "SeriesNumber",
    "instance_number": "InstanceNumber",
    "rows": "Rows",
    "columns": "Columns",
    "samples": "SamplesPerPixel",
    "bits_allocated": "BitsAllocated",
    "bits_stored": "BitsStored",
    "high_bit": "HighBit",
    "pixel_representation": "PixelRepresentation",
    "padding": "PixelPaddingValue",
    "padding_limit": "PixelPaddingRangeLimit",
}
TAGS = [*_TEXT.values(), *_WHOLE.values(), "ImageType", "SliceThickness", *FRAME_TAGS]
"""Keywords of all that is read; no name and no birth date is among them."""


@dataclass(frozen=True, slots=True)
class FileHeader:
    """A file's tags, as they stand; absent text is empty, an absent number ``None``.

    Identifiers and dates serve to group files and never leave memory.

    Attributes:
        path: The file.
        transfer_syntax: UID of the transfer syntax.
        image_type: In upper case.
        thickness: SliceThickness in mm; said, never used for geometry.
        padding: PixelPaddingValue in stored units; ``padding_limit`` ends its range.
        frames: What may differ between frames; one in an ordinary file of one slice.
        problems: Tags that hold something else than they must.
    """

    path: Path
    transfer_syntax: str
    sop_class: str
    modality: str
    patient_id: str
    study_uid: str
    series_uid: str
    sop_uid: str
    frame_uid: str
    description: str
    study_date: str
    study_time: str
    kernel: str
    photometric: str
    rescale_type: str
    units: str
    series_number: int | None
    instance_number: int | None
    rows: int | None
    columns: int | None
    samples: int | None
    bits_allocated: int | None
    bits_stored: int | None
    high_bit: int | None
    pixel_representation: int | None
    padding: int | None
    padding_limit: int | None
    image_type: tuple[str, ...]
    thickness: float | None
    frames: tuple[Frame, ...]
    problems: tuple[str, ...]


def read_header(path: Path) -> FileHeader:
    """Read a file's header.

    Raises:
        DataError: Not DICOM, or damaged so that nothing of it can be used.
        MissingExtraError: pydicom is not installed.
    """
    data = open_dicom(path, TAGS)
    problems: list[str] = []

    def tried(read: Callable[..., Any], keyword: str, absent: Any) -> Any:
        try:
            return read(data, keyword)
        except WrongTagError as error:
            problems.append(str(error))
            return absent

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters becomes a problem below
        found = {name: tried(text, keyword, "") for name, keyword in _TEXT.items()}
        found |= {name: tried(whole, keyword, None) for name, keyword in _WHOLE.items()}
        image_type = tuple(tried(text, "ImageType", "").upper().split("\\"))
        thickness = tried(number, "SliceThickness", None)
        frames = tried(lambda data, _keyword: read_frames(data), "", ())
        syntax = tried(lambda data, keyword: text(data.file_meta, keyword), "TransferSyntaxUID", "")
        if not found["sop_class"]:
            found["sop_class"] = tried(
                lambda data, keyword: text(data.file_meta, keyword), "MediaStorageSOPClassUID", ""
            )
    return FileHeader(
        path=path,
        transfer_syntax=syntax,
        image_type=tuple(part for part in image_type if part),
        thickness=thickness,
        frames=frames,
        problems=tuple(problems),
        **found,
    )
