"""What becomes of every file: a case of a subject, or a line that says why not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from survkit.dicom.choose_series import choose_series
from survkit.dicom.discover import Discovery
from survkit.dicom.header import FileHeader
from survkit.dicom.refused_series import RefusedSeriesError
from survkit.dicom.series import Series
from survkit.dicom.shown_name import shown_name
from survkit.dicom.suv import lacks_attenuation_correction
from survkit.errors import DataError
from survkit.ingest.choose_study import choose_study
from survkit.ingest.clinical_table import FOLDER_NAME, ClinicalTable
from survkit.ingest.refused import Left
from survkit.ingest.settings import IngestSettings

MASKS = {"RTSTRUCT": "rtstruct", "SEG": "seg"}


@dataclass(frozen=True, slots=True)
class Case:
    """One subject's images and the files that may hold regions.

    Attributes:
        subject: The id.
        images: The chosen series of each modality, and why it was chosen.
        masks: RTSTRUCT and SEG files of the patient, and what messages call them.
    """

    subject: str
    images: tuple[tuple[Series, str], ...]
    masks: tuple[tuple[FileHeader, str], ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """All files that the case is made from."""
        series = [header.path for each, _ in self.images for header in each.files]
        return (*series, *(header.path for header, _ in self.masks))


def plan(
    found: Discovery, table: ClinicalTable, settings: IngestSettings, folder: Path
) -> tuple[list[Case], list[Left]]:
    """Divide what was found into cases, in the order of the table, and what is left out."""
    left = [
        Left(
            table.by_patient.get(each.patient_id, ""), each.what, each.rule, each.reason,
            each.files, each.expected,
        )
        for each in found.refused
    ]  # fmt: skip
    patients = sorted(
        {each.patient_id for each in found.series}
        | {each.patient_id for each in found.others}
        | {each.patient_id for each in found.refused}
    )
    subjects = {table.by_patient.get(patient, ""): patient for patient in patients}
    excluded = dict(settings.exclude)
    cases = []
    for patient in patients:
        subject = table.by_patient.get(patient, "")
        series = [each for each in found.series if each.patient_id == patient]
        others = [each for each in found.others if each.patient_id == patient]
        reason = _why_not(subject, patient, excluded)
        if reason is not None:
            left += _all_left(subject, series, others, reason, folder)
            continue
        case, rest = _case(subject, series, others, settings, folder)
        cases += [case] if case is not None else []
        left += rest
    left += [
        Left(
            subject, "the subject", "no-images",
            "the table has the subject, but the folder holds no file of the patient", 0,
        )
        for subject in table.rows if subject not in subjects and subject not in excluded
    ]  # fmt: skip
    order = {subject: place for place, subject in enumerate(table.rows)}
    return sorted(cases, key=lambda case: order[case.subject]), left


def _why_not(subject: str, patient: str, excluded: dict[str, str]) -> tuple[str, str] | None:
    if not patient:
        return "no-patient", "the files have no PatientID, so they are nobody's; add it"
    if not subject:
        return (
            "no-table-row",
            "no row of the clinical table is this patient's; add one, or name it in a key table",
        )
    if subject in excluded:
        return "excluded", excluded[subject]
    if FOLDER_NAME.fullmatch(subject) is None:
        return (
            "unsafe-id",
            f"the id {subject!r} cannot name a folder (letters, digits, '_', '-', '.' and blanks "
            "can); rename it by a key table",
        )
    return None


def _all_left(
    subject: str,
    series: Sequence[Series],
    others: Sequence[FileHeader],
    reason: tuple[str, str],
    folder: Path,
) -> Iterator[Left]:
    expected = reason[0] == "excluded"
    for each in series:
        yield Left(subject, each.label, *reason, _count(each), expected)
    for header in others:
        yield Left(subject, _other(header, folder), *reason, 1, expected)


def _case(
    subject: str,
    series: Sequence[Series],
    others: Sequence[FileHeader],
    settings: IngestSettings,
    folder: Path,
) -> tuple[Case | None, list[Left]]:
    wanted, left = _wanted(subject, series, settings, folder)
    masks = [each for each in others if settings.rois and _is_mask(each, settings)]
    images, more = _choose(subject, wanted, settings)
    left += more
    used = {id(each) for each, _ in images}
    if settings.same_frame:
        images, more = _in_one_frame(subject, images)
        left += more
    for each in wanted:
        if id(each) not in used:
            reason = "another series of the modality or another study was chosen, or none could be"
            left.append(Left(subject, each.label, "not-chosen", reason, _count(each), True))
    named = tuple((header, _other(header, folder)) for header in masks)
    case = Case(subject, tuple(images), named) if images else None
    for header in others:
        if case is None or header not in masks:
            what, reason = _other(header, folder), "it is no image and no region was asked of it"
            if case is None:
                reason = "no image of the patient is used, so neither is what was drawn on one"
            left.append(Left(subject, what, "not-asked", reason, 1, True))
    return case, left


def _wanted(
    subject: str, series: Sequence[Series], settings: IngestSettings, folder: Path
) -> tuple[list[Series], list[Left]]:
    """Return the series that may be chosen, and why the others may not."""
    wanted, left = [], []
    for each in series:
        stranger = _other_patients_folder(each, settings, folder)
        if stranger is not None:
            left.append(Left(subject, each.label, "other-patient", stranger, _count(each)))
        elif each.modality not in settings.modalities:
            reason = f"the modality {each.modality or '(none)'} is not asked for"
            left.append(Left(subject, each.label, "not-asked", reason, _count(each), True))
        elif each.modality == "PT" and _is_uncorrected(each):
            reason = "the values are not corrected for attenuation, so they are no SUV"
            left.append(Left(subject, each.label, "uncorrected", reason, _count(each), True))
        else:
            wanted.append(each)
    return wanted, left


def _is_uncorrected(series: Series) -> bool:
    try:
        return lacks_attenuation_correction(series.first.path)
    except DataError:
        return False  # the conversion to SUV refuses it, with the reason


def _choose(
    subject: str, wanted: Sequence[Series], settings: IngestSettings
) -> tuple[list[tuple[Series, str]], list[Left]]:
    try:
        study = choose_study(wanted, rule=settings.study)
    except RefusedSeriesError as error:
        return [], [Left(subject, "the studies", error.rule, str(error), 0)]
    images, left = [], []
    for modality in settings.modalities:
        try:
            choice = choose_series(
                study, modality=modality, prefer=settings.series, kernel=settings.kernel
            )
        except RefusedSeriesError as error:
            left.append(Left(subject, f"the {modality} series", error.rule, str(error), 0))
        else:
            images.append((choice.series, choice.why))
    return images, left


def _in_one_frame(
    subject: str, images: Sequence[tuple[Series, str]]
) -> tuple[list[tuple[Series, str]], list[Left]]:
    """Return the images without a PET that does not share the CT's frame of reference."""
    frames = {each.frame_uid for each, _ in images if each.modality == "CT"}
    kept, left = [], []
    for each, why in images:
        if (
            each.modality == "PT"
            and frames
            and (not each.frame_uid or each.frame_uid not in frames)
        ):
            reason = (
                "it lies in another frame of reference than the chosen CT, so the two would not "
                "show the same places; choose another study, or register them"
            )
            left.append(Left(subject, each.label, "other-frame", reason, _count(each)))
        else:
            kept.append((each, why))
    return kept, left


def _other_patients_folder(series: Series, settings: IngestSettings, folder: Path) -> str | None:
    """Say it where an archive that names folders by patient has the series at another's."""
    if settings.patient_folders is None:
        return None
    pattern = re.compile(settings.patient_folders)
    for header in series.files:
        for part in header.path.relative_to(folder).parts[:-1]:
            if pattern.fullmatch(part) and part != series.patient_id:
                return (
                    f"the folder is named '{part}', but its files belong to another patient; sort "
                    "them before use"
                )
    return None


def _is_mask(header: FileHeader, settings: IngestSettings) -> bool:
    kind = MASKS.get(header.modality)
    return kind is not None and settings.mask_from in ("any", kind)


def _other(header: FileHeader, folder: Path) -> str:
    return f"{header.modality or 'an object'} '{shown_name(header.path, folder)}'"


def _count(series: Series) -> int:
    return len(series.files) + series.duplicates
