"""What must be equal in all files of a series, and what none may lack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from survkit.dicom.header import FileHeader
from survkit.dicom.kinds import is_radiograph
from survkit.dicom.pixel_format import check_pixel_format, check_rescale
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Plane
from survkit.dicom.shown_name import shown_name

SAME_DIRECTION = 1e-4
"""Components of orientation vectors may differ by this much."""
SAME_SPACING = 1e-3
"""Pixel spacings may differ by this share."""

_EQUAL: tuple[tuple[str, str, Callable[[FileHeader], Any]], ...] = (
    ("mixed-modality", "modality", lambda header: header.modality),
    ("mixed-kind", "kind of object (SOP class)", lambda header: header.sop_class),
    ("mixed-size", "size (Rows x Columns)", lambda header: f"{header.rows} x {header.columns}"),
    ("mixed-photometric", "photometric interpretation", lambda header: header.photometric),
)
_EQUAL_UNSEEN: tuple[tuple[str, str, Callable[[FileHeader], Any]], ...] = (
    ("mixed-patients", "patient (PatientID)", lambda header: header.patient_id),
    ("mixed-studies", "study (StudyInstanceUID)", lambda header: header.study_uid),
    ("mixed-frames", "frame of reference", lambda header: header.frame_uid),
)
"""Their values are identifiers, so a message counts them instead of showing them."""


def check_headers(headers: Sequence[FileHeader]) -> None:
    """Refuse files that do not belong in one series or lack what an image needs.

    Raises:
        RefusedSeriesError: With the rule and a reason that names a file.
    """
    for header in headers:
        if header.problems:
            raise RefusedSeriesError(
                "wrong-tag",
                f"{shown_name(header.path)}: {'; '.join(header.problems[:3])}; "
                "export the series again",
            )
    for rule, what, of in _EQUAL_UNSEEN:
        values = {of(header) for header in headers}
        if len(values) > 1:
            raise RefusedSeriesError(
                rule, f"a series has one {what}, but these {len(headers)} files have {len(values)}"
            )
    for rule, what, of in _EQUAL:
        counts = Counter(of(header) for header in headers)
        if len(counts) > 1:
            (usual, many), *_, (odd, few) = counts.most_common()
            which = next(header for header in headers if of(header) == odd)
            raise RefusedSeriesError(
                rule,
                f"a series has one {what}, but {many} files have {usual} and {few} have {odd} "
                f"(such as {shown_name(which.path)})",
            )
    for header in headers:
        _at(header, check_pixel_format)
        _at(header, check_rescale)


def check_planes(planes: Sequence[Plane]) -> None:
    """Refuse slices without a place, and those of another orientation or pixel spacing.

    Raises:
        RefusedSeriesError: With the rule and a reason that names a file.
    """
    for plane in planes:
        missing = [
            name
            for name, value in (
                ("ImagePositionPatient", plane.frame.position),
                ("ImageOrientationPatient", plane.frame.orientation),
                ("PixelSpacing", plane.frame.spacing),
            )
            if value is None
        ]
        if missing:
            raise RefusedSeriesError(
                "no-geometry",
                f"{shown_name(plane.header.path)} lacks {', '.join(missing)}; "
                "without them no slice has a place",
            )
        if min(plane.frame.spacing or (0.0,)) <= 0:
            raise RefusedSeriesError(
                "zero-spacing",
                f"{shown_name(plane.header.path)}: PixelSpacing must be positive, but is "
                f"{_shown(plane.frame.spacing)}",
            )
    spacing = np.array([plane.frame.spacing for plane in planes])
    orientation = np.array([plane.frame.orientation for plane in planes])
    _check_equal(planes, spacing, SAME_SPACING * spacing[0].min(), "mixed-spacing", "PixelSpacing")
    _check_equal(
        planes, orientation, SAME_DIRECTION, "mixed-orientation", "ImageOrientationPatient"
    )


def check_radiograph(header: FileHeader) -> tuple[float, ...]:
    """Return the pixel spacing of a projection image in mm (rows, columns).

    Raises:
        RefusedSeriesError: It has none, or more than one frame.
    """
    frame = header.frames[0]
    spacing = frame.spacing or frame.detector_spacing
    if spacing is None or len(header.frames) != 1 or min(spacing) <= 0:
        raise RefusedSeriesError(
            "no-geometry",
            f"{shown_name(header.path)}: a radiograph needs one frame and a positive PixelSpacing "
            f"or ImagerPixelSpacing, but has {len(header.frames)} and {_shown(spacing)}",
        )
    return spacing


def are_radiographs(headers: Sequence[FileHeader]) -> bool:
    """Whether all files are projection images."""
    return all(is_radiograph(header) for header in headers)


def _check_equal(
    planes: Sequence[Plane], values: Any, tolerance: float, rule: str, what: str
) -> None:
    _, first, counts = np.unique(
        np.round(values / tolerance), axis=0, return_index=True, return_counts=True
    )
    usual = values[first[counts.argmax()]]
    odd = np.flatnonzero(np.abs(values - usual).max(axis=1) > tolerance)
    if len(odd):
        worst = int(odd[0])
        raise RefusedSeriesError(
            rule,
            f"a series has one {what}, but {len(odd)} of {len(planes)} slices differ from "
            f"{_shown(usual)}, such as {shown_name(planes[worst].header.path)} with "
            f"{_shown(values[worst])}; export them as series of their own",
        )


def _at(header: FileHeader, check: Callable[[FileHeader], None]) -> None:
    try:
        check(header)
    except RefusedSeriesError as error:
        raise RefusedSeriesError(error.rule, f"{shown_name(header.path)}: {error}") from error


def _shown(values: Any) -> str:
    return "none" if values is None else "(" + ", ".join(f"{float(v):.6g}" for v in values) + ")"
