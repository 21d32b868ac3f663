"""The COVID-19 image repository of Hannover Medical School: its exams on one clock per patient.

As published (GitHub ml-workgroup/covid-19-image-repository) it is ``data.csv`` with one row per
image, days relative to that image, and ``png/<image_id>.png``. A derived form, ``images.csv`` with
days relative to the patient's admission and a column ``file``, is read too.

Reference: Winther et al. (2020), doi:10.6084/m9.figshare.12275009.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from survkit.data.text_table import TextTable, read_table
from survkit.errors import ConfigError, DataError
from survkit.ingest.collection import which_form

PUBLISHED, DERIVED = "data.csv", "images.csv"
_FORMS = {
    "published": (
        "patient_id", "image_id", "sex", "admission_offset", "icu_admission_offset",
        "icu_release_offset", "death_offset", "modality", "projection",
    ),
    "derived": (
        "patient_id", "image_id", "sex", "exam_day", "icu_in_day", "icu_out_day", "death_day",
        "modality", "projection", "file",
    ),
}  # fmt: skip
_DAYS = ("icu_in", "icu_out", "death")


@dataclass(frozen=True, slots=True)
class Exam:
    """One image; days count from the patient's admission, and ``None`` did not happen.

    Attributes:
        image: Its id.
        patient: Whose it is.
        path: The file.
        day: Of the exam.
        icu_in: Admission to the intensive care unit.
        icu_out: Release from it, or death in it.
        death: Of the patient.
        cells: Sex, modality and projection.
    """

    image: str
    patient: str
    path: Path
    day: float
    icu_in: float | None
    icu_out: float | None
    death: float | None
    cells: Mapping[str, str]


def read_exams(source: Path) -> tuple[list[Exam], str, TextTable]:
    """Return the exams in the table's order, the form of the table, and the table.

    Raises:
        DataError: There is neither table, an image is listed twice, or a day is no number.
        ConfigError: The table is another.
    """
    found = [name for name in (PUBLISHED, DERIVED) if (source / name).is_file()]
    if len(found) != 1:
        there = "both" if found else "neither"
        raise DataError(f"{source}: the collection has {PUBLISHED} or {DERIVED}; {there} is there")
    table = read_table(source / found[0], missing=[""])
    title = "the table of the Hannover collection"
    form = which_form(list(table.columns), _FORMS, title, table.source)
    ids = [_cell(table, "image_id", row) for row in range(len(table))]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{table.source}: the image '{twice}' is listed twice")
    exams = [_exam(table, form, row, source) for row in range(len(table))]
    return exams, form, table


def disagreements(exams: Sequence[Exam]) -> dict[str, str]:
    """Return patients whose images tell different courses, and in what; their days mean nothing."""
    found: dict[str, str] = {}
    first: dict[str, Exam] = {}
    for exam in exams:
        other = first.setdefault(exam.patient, exam)
        for name in _DAYS:
            here, there = getattr(exam, name), getattr(other, name)
            if here != there:
                found.setdefault(
                    exam.patient,
                    f"the patient's images must agree on the day of {name.replace('_', ' ')}, but "
                    f"it is {_shown(there)} by image {other.image} and {_shown(here)} by "
                    f"{exam.image}",
                )
    return found


def _exam(table: TextTable, form: str, row: int, source: Path) -> Exam:
    image = _cell(table, "image_id", row)
    if form == "published":
        admission = _day(table, "admission_offset", row)
        if admission is None:
            raise DataError(f"{table.source}: row {row + 2}: admission_offset is missing")
        day, file = -admission, f"png/{image}.png"
        columns = ("icu_admission_offset", "icu_release_offset", "death_offset")
        days = [_day(table, name, row) for name in columns]
        icu_in, icu_out, death = (None if each is None else day + each for each in days)
    else:
        found = _day(table, "exam_day", row)
        if found is None:
            raise DataError(f"{table.source}: row {row + 2}: exam_day is missing")
        day, file = found, _cell(table, "file", row)
        icu_in, icu_out, death = (
            _day(table, name, row) for name in ("icu_in_day", "icu_out_day", "death_day")
        )
    cells = {name: str(table.text(name)[row] or "") for name in ("sex", "modality", "projection")}
    patient = _cell(table, "patient_id", row)
    return Exam(image, patient, source / file, day, icu_in, icu_out, death, cells)


def _cell(table: TextTable, name: str, row: int) -> str:
    cell = table.text(name)[row]
    if cell is None:
        raise DataError(f"{table.source}: row {row + 2}: {name} is missing")
    return str(cell)


def _day(table: TextTable, name: str, row: int) -> float | None:
    cell = table.text(name)[row]
    if cell is None:
        return None
    try:
        value = float(cell)
    except ValueError as error:
        raise DataError(
            f"{table.source}: row {row + 2}: {name} must be a day, not '{cell}'"
        ) from error
    if not abs(value) < float("inf"):
        raise DataError(f"{table.source}: row {row + 2}: {name} must be finite, not {cell}")
    return value


def _shown(day: float | None) -> str:
    return "missing" if day is None else f"{day:g}"


def refuse_outcome(outcome: str, known: Sequence[str]) -> None:
    """Refuse a word that names no outcome of the collection.

    Raises:
        ConfigError: It does not.
    """
    if outcome not in known:
        raise ConfigError(
            f"--layout hannover-cxr has the outcomes {', '.join(known)} (--outcome), not "
            f"'{outcome}'"
        )
