"""The user's table of subjects, and which patient of DICOM each of its rows is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data.text_table import TextTable, read_table
from survkit.errors import ConfigError, DataError
from survkit.ingest.pseudonym import pseudonyms, read_secret
from survkit.suggest import did_you_mean

USUAL_SUBJECTS = ("subject_id", "patient_id", "subject", "patient", "PatientID")
KEY_COLUMNS = ("PatientID", "subject")
FOLDER_NAME = re.compile(r"\w(?:[\w.\- ]{0,98}[\w\-])?")
"""Ids that can name a folder everywhere and lead nowhere else."""

SHORT = 4
Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClinicalTable:
    """One row per subject, as text.

    Attributes:
        source: The file, for messages.
        sha256: Of its bytes.
        header: Names of the columns.
        rows: Cells by subject, in the order of the file; the subject's cell is the id.
        subject_column: Which column that is.
        by_patient: Subject by PatientID.
    """

    source: str
    sha256: str
    header: tuple[str, ...]
    rows: Mapping[str, Row]
    subject_column: str
    by_patient: Mapping[str, str]

    def text(self, subjects: Iterable[str], added: Mapping[str, Mapping[str, str]]) -> str:
        """Return some rows as CSV with further columns, each by subject."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow([*self.header, *added])
        for subject in subjects:
            cells = [column.get(subject, "") for column in added.values()]
            writer.writerow([*self.rows[subject], *cells])
        return stream.getvalue()

    def refuse_missing(self, columns: Iterable[str]) -> None:
        """Refuse columns that are not there.

        Raises:
            ConfigError: One is not.
        """
        for name in columns:
            if name not in self.header:
                raise ConfigError(
                    f"{self.source}: there is no column '{name}'. {did_you_mean(name, self.header)}"
                )

    def refuse_present(self, columns: Iterable[str]) -> None:
        """Refuse columns that would be written twice.

        Raises:
            ConfigError: One is there.
        """
        for name in columns:
            if name in self.header:
                raise ConfigError(
                    f"{self.source}: the column '{name}' is there already, and the ingest adds one "
                    "of that name; rename it"
                )


def read_clinical_table(
    path: Path,
    *,
    subject: str | None = None,
    key: Path | None = None,
    secret: Path | None = None,
    usual: Sequence[str] = USUAL_SUBJECTS,
) -> ClinicalTable:
    """Read a table with one row per subject.

    Args:
        path: CSV or Parquet.
        subject: Column of the ids; by default the one of the usual names that is there.
        key: Table that says which PatientID is which subject (columns PatientID and subject);
            without it the ids are PatientIDs.
        secret: File with the key of pseudonyms that replace the PatientIDs.
        usual: Names by which the column of the ids is known without ``subject``.

    Raises:
        DataError: Unreadable, no id, an id twice or one that cannot name a folder.
        ConfigError: No or several columns could be the id, or two ways to name subjects are asked.
    """
    if key is not None and secret is not None:
        raise ConfigError("subjects are named by a key table or by pseudonyms, not by both")
    table = read_table(path, missing=[""])
    columns = {name: _cells(table, name) for name in table.columns}
    column = _subject_column(subject, list(columns), table.source, usual)
    ids = columns[column]
    _refuse_bad_ids(ids, f"{table.source}: column '{column}'")
    by_patient = {each: each for each in ids}
    if key is not None:
        by_patient = _read_key(key, set(ids))
    if secret is not None:
        by_patient = pseudonyms(ids, read_secret(secret))
        _refuse_repeated_ids(columns, column, table.source)
        columns[column] = [by_patient[each] for each in ids]
    _refuse_folders(columns[column], f"{table.source}: column '{column}'")
    rows = {
        each: tuple(cells[row] for cells in columns.values())
        for row, each in enumerate(columns[column])
    }
    return ClinicalTable(table.source, table.sha256, tuple(columns), rows, column, by_patient)


def _cells(table: TextTable, name: str) -> list[str]:
    values: Any = table.column(name)
    if values.ndim != 1:
        raise DataError(
            f"{table.source}: the column '{name}' holds lists; put them in another file"
        )
    return ["" if cell is None else str(cell) for cell in table.text(name)]


def _subject_column(
    name: str | None, columns: Sequence[str], source: str, usual_names: Sequence[str]
) -> str:
    if name is not None:
        if name not in columns:
            raise ConfigError(
                f"{source}: there is no column '{name}'. {did_you_mean(name, columns)}"
            )
        return name
    found = [usual for usual in usual_names if usual in columns]
    if len(found) != 1:
        what = " and ".join(found) if found else f"none of {', '.join(usual_names)}"
        raise ConfigError(
            f"{source}: which column is the subject's id? There is {what}; give --subject "
            f"(columns: {', '.join(columns[:12])})"
        )
    return found[0]


def _refuse_bad_ids(ids: Sequence[str], where: str) -> None:
    seen: dict[str, int] = {}
    for number, each in enumerate(ids, start=2):
        if not each:
            raise DataError(f"{where}: row {number} has no id")
        if each in seen:
            raise DataError(
                f"{where}: '{each}' stands in rows {seen[each]} and {number}; a table has one row "
                "per subject"
            )
        seen[each] = number


def _refuse_folders(ids: Iterable[str], where: str) -> None:
    """Refuse ids that would share a folder where upper and lower case are one."""
    seen: dict[str, str] = {}
    for each in ids:
        other = seen.setdefault(each.casefold(), each)
        if other != each:
            raise DataError(f"{where}: '{other}' and '{each}' differ by case alone; rename one")


def _refuse_repeated_ids(columns: Mapping[str, list[str]], column: str, source: str) -> None:
    """Refuse a table that names a patient outside the column that pseudonyms replace.

    Ids of one to three signs are compared with the whole column only: such numbers stand
    everywhere by chance.
    """
    ids = columns[column]
    for name, cells in columns.items():
        if name == column:
            continue
        repeated = [
            row
            for row, (cell, patient) in enumerate(zip(cells, ids, strict=True), start=2)
            if len(patient) >= SHORT and patient in cell
        ]
        if repeated or cells == ids:
            raise DataError(
                f"{source}: row {min(repeated, default=2)} repeats the patient's id in column "
                f"'{name}', which a pseudonym would not hide; remove the column"
            )


def _read_key(path: Path, subjects: set[str]) -> dict[str, str]:
    table = read_table(path, missing=[""])
    if set(table.columns) != set(KEY_COLUMNS):
        raise DataError(
            f"{path}: a key has the columns {' and '.join(KEY_COLUMNS)}, not "
            f"{', '.join(table.columns)}"
        )
    patients, named = (_cells(table, name) for name in KEY_COLUMNS)
    _refuse_bad_ids(patients, f"{path}: column 'PatientID'")
    _refuse_bad_ids(named, f"{path}: column 'subject'")
    for number, subject in enumerate(named, start=2):
        if subject not in subjects:
            raise DataError(f"{path}: row {number}: the table has no subject '{subject}'")
    return dict(zip(patients, named, strict=True))
