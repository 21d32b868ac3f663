"""From the headers of a folder to its series: grouped, checked, set aside or refused."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from survkit.dicom.consistent import are_radiographs, check_headers, check_planes, check_radiograph
from survkit.dicom.header import FileHeader
from survkit.dicom.kinds import is_reformat, set_aside
from survkit.dicom.merge_planes import merged, sorted_planes
from survkit.dicom.pixel_format import MAX_VOLUME_VOXELS
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Plane, Refusal, Series, series_label
from survkit.dicom.shown_name import shown_name
from survkit.dicom.stack_geometry import StackGeometry, stack_geometry
from survkit.errors import DataError

FEWEST_SLICES = 3
"""Fewer slices are an overview or a picture, not a volume."""


def assemble(headers: Sequence[FileHeader], folder: Path) -> tuple[list[Series], list[Refusal]]:
    """Return the series of images and what is refused or set aside, in the order of the files.

    Args:
        headers: Of image objects.
        folder: What they were found in, for labels.
    """
    series: list[Series] = []
    refused: list[Refusal] = []
    crowded = _studies_of_several_patients(headers)
    for group in _by_series(headers):
        images: list[FileHeader] = []
        aside: dict[tuple[str, str], list[FileHeader]] = defaultdict(list)
        for header in group:
            reason = set_aside(header)
            (images if reason is None else aside[reason]).append(header)
        refused += [_refusal(files, folder, *reason) for reason, files in aside.items()]
        if not images:
            continue
        try:
            if any(header.study_uid in crowded for header in images):
                raise RefusedSeriesError(
                    "mixed-patients",
                    "a study belongs to one patient, but this one's files have several "
                    "PatientIDs; sort them by patient",
                )
            series += _series_of(images, folder)
        except RefusedSeriesError as error:
            refused.append(_refusal(images, folder, error.rule, str(error)))
        except DataError as error:  # a file that is compared with its copy cannot be read
            refused.append(_refusal(images, folder, "damaged", str(error)))
    return _without_reformats(series, refused)


def _by_series(headers: Iterable[FileHeader]) -> list[list[FileHeader]]:
    groups: dict[str, list[FileHeader]] = defaultdict(list)
    for header in headers:
        groups[header.series_uid].append(header)
    return list(groups.values())


def _studies_of_several_patients(headers: Iterable[FileHeader]) -> set[str]:
    patients: dict[str, set[str]] = defaultdict(set)
    for header in headers:
        patients[header.study_uid].add(header.patient_id)
    return {study for study, found in patients.items() if len(found) > 1}


def _series_of(headers: Sequence[FileHeader], folder: Path) -> list[Series]:
    if are_radiographs(headers):
        return [_radiograph(header, folder) for header in headers]
    check_headers(headers)
    planes = [Plane(header, index) for header in headers for index in range(len(header.frames))]
    check_planes(planes)
    stacks, dropped = merged(sorted_planes(planes))
    _check_identities([plane for stack in stacks for plane in stack])
    found = []
    for stack in stacks:
        _check_count(stack)
        first = stack[0].frame
        geometry = stack_geometry(
            np.array([plane.frame.position for plane in stack]),
            first.orientation or (),
            first.spacing or (),
        )
        label = series_label(list({p.header.path: p.header for p in stack}.values()), folder)
        notes = (f"1 of {len(stacks)} acquisitions of its series",) if len(stacks) > 1 else ()
        found.append(Series(tuple(stack), geometry, label, dropped, notes))
    return found


def _check_identities(planes: Sequence[Plane]) -> None:
    """Refuse different slices under one SOPInstanceUID: what refers to one would mean both."""
    holders: dict[str, Path] = {}
    for plane in planes:
        path = plane.header.path
        other = holders.setdefault(plane.header.sop_uid, path)
        if other != path and plane.header.sop_uid:
            raise RefusedSeriesError(
                "same-identity",
                f"every image has a SOPInstanceUID of its own, but {shown_name(other)} and "
                f"{shown_name(path)} are different slices and share one; export the series again",
            )


def _check_count(stack: Sequence[Plane]) -> None:
    if len(stack) < FEWEST_SLICES:
        raise RefusedSeriesError(
            "few-slices",
            f"a volume has {FEWEST_SLICES} slices or more, but this series has {len(stack)}",
        )
    rows, columns = stack[0].header.rows or 0, stack[0].header.columns or 0
    if len(stack) * rows * columns > MAX_VOLUME_VOXELS:
        raise RefusedSeriesError(
            "too-large",
            f"{len(stack)} slices of {rows} x {columns} voxels are beyond the limit of "
            f"{MAX_VOLUME_VOXELS}",
        )


def _radiograph(header: FileHeader, folder: Path) -> Series:
    check_headers([header])
    rows, columns = check_radiograph(header)
    axes = tuple(tuple(line) for line in np.eye(3).tolist())
    geometry = StackGeometry((0.0, 0.0, 0.0), axes, (1.0, rows, columns), 0.0, (0.0, 0.0))
    return Series((Plane(header, 0),), geometry, series_label([header], folder))


def _refusal(headers: Sequence[FileHeader], folder: Path, rule: str, reason: str) -> Refusal:
    patients = {header.patient_id for header in headers}
    whose = patients.pop() if len(patients) == 1 else ""
    return Refusal(series_label(headers, folder), rule, reason, len(headers), whose)


def _without_reformats(
    series: list[Series], refused: list[Refusal]
) -> tuple[list[Series], list[Refusal]]:
    """Set reformatted volumes aside where their study holds an original of the modality."""
    originals = {(each.study_uid, each.modality) for each in series if not is_reformat(each.first)}
    kept = []
    for each in series:
        if is_reformat(each.first) and (each.study_uid, each.modality) in originals:
            reason = f"a reformatted copy of another {each.modality} series of its study"
            refused.append(
                Refusal(each.label, "reformat", reason, len(each.files), each.patient_id)
            )
        else:
            kept.append(each)
    return kept, refused
