"""What a DICOM object is: an image to read, another object, or an image to set aside."""

from __future__ import annotations

from survkit.dicom.header import FileHeader

_STORAGE = "1.2.840.10008.5.1.4.1.1."
VOLUME_MODALITIES = {
    _STORAGE + part: modality
    for modality, parts in {
        "CT": ("2", "2.1", "2.2"),  # ordinary, enhanced, converted
        "MR": ("4", "4.1", "4.4"),
        "PT": ("128", "128.1", "130"),
        "NM": ("20",),
    }.items()
    for part in parts
}
"""What Modality must be, by kind of object."""
VOLUMES = frozenset(VOLUME_MODALITIES)
RADIOGRAPHS = frozenset(_STORAGE + part for part in ("1", "1.1", "1.1.1", "1.2", "1.2.1"))
"""Computed, digital and mammographic projection images."""
SECONDARY_CAPTURES = frozenset(_STORAGE + part for part in ("7", "7.1", "7.2", "7.3", "7.4"))
DIRECTORY = "1.2.840.10008.1.3.10"
"""DICOMDIR: an index, not an object."""

_LOCALIZER = {"LOCALIZER", "SCOUT", "TOPOGRAM"}
_SCREEN = {"SCREEN SAVE", "SCREENSAVE", "SCREENSHOT", "DOSE_INFO", "CSA REPORT"}
_PROJECTION = {
    "MIP", "MINIP", "MAX_IP", "MIN_IP", "PROJECTION IMAGE", "VOLUME RENDERED", "VRT", "RENDERING",
}  # fmt: skip
_REFORMAT = {"MPR", "CSA MPR", "REFORMATTED", "REFORMAT", "CURVED MPR"}


def is_image(header: FileHeader) -> bool:
    """Whether the object is an image that is read or set aside, not RTSTRUCT, SEG, a report …."""
    return header.sop_class in VOLUMES | RADIOGRAPHS | SECONDARY_CAPTURES


def is_radiograph(header: FileHeader) -> bool:
    """Whether the object is a projection image: one picture, without a place in the patient."""
    return header.sop_class in RADIOGRAPHS


def is_reformat(header: FileHeader) -> bool:
    """Whether the image was computed from another volume."""
    return bool(_REFORMAT.intersection(header.image_type))


def set_aside(header: FileHeader) -> tuple[str, str] | None:
    """Return the rule and the reason for which an image is no part of a volume, else ``None``."""
    marks = set(header.image_type)
    if header.sop_class in SECONDARY_CAPTURES or marks & _SCREEN:
        return "screenshot", "a secondary capture or screenshot holds no measured intensities"
    if marks & _LOCALIZER:
        return "localizer", "a localizer (scout, topogram) is an overview, not a volume"
    if marks & _PROJECTION:
        return "projection", "a projection or rendering (MIP) of another volume is no measurement"
    colour = header.samples not in (None, 1) or not header.photometric.startswith("MONOCHROME")
    if colour and header.photometric:
        return "colour", f"a picture in {header.photometric[:16]} holds no measured intensities"
    return None
