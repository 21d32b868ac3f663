"""One image listed for two patients: under one path, or as copies of the same bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.raw_cohort import RawCohort
from survkit.data.readers.image import ImageSource
from survkit.data.readers.source import ModalitySource
from survkit.errors import DataError

if TYPE_CHECKING:
    from survkit.data.cohort import Cohort

Listed = list[tuple[int, Path]]


def shared_file_problems(raw: RawCohort, sources: Mapping[str, ModalitySource]) -> list[Problem]:
    """Return every row whose image another patient has too, an error; masks are not looked at.

    Patients are the cohort's groups where it names them, else its subjects. Volumes are not looked
    at.
    """
    column = raw.config.group or raw.config.subject
    patients: list[str | None] = list(raw.table.text(column))
    subjects = raw.subjects()
    problems = []
    for name, source in sources.items():
        if not isinstance(source, ImageSource):
            continue
        for row, other, how in _shared(_listed(source), patients):
            message = (
                f"{source.files.image[row]}: {how} the image of "
                f"{column} '{patients[other]}' in row {spreadsheet_row(other)}; an image belongs "
                "to one patient"
            )
            problems.append(Problem(spreadsheet_row(row), subjects[row], name, message))
    return problems


def refuse_shared_files(cohort: Cohort, modalities: Iterable[str]) -> None:
    """Refuse two patients with one image: it, or what is computed of it, could train and test.

    Args:
        cohort: Read already.
        modalities: Which of its images are looked at; a twin's are those of what it stands for.

    Raises:
        DataError: Two patients have one image, by its path or its bytes.
    """
    column = cohort.config.group or cohort.config.subject
    patients = cohort.group or cohort.subjects
    for name in dict.fromkeys(cohort.twins.get(each, each) for each in modalities):
        source = cohort.sources.get(name)  # a name that is not there is refused elsewhere
        if not isinstance(source, ImageSource):
            continue
        for row, other, how in _shared(_listed(source), patients):
            raise DataError(
                f"{cohort.source}: subject '{cohort.subjects[row]}', '{name}': "
                f"{source.files.image[row]}: {how} the image of {column} '{patients[other]}', and "
                "would train and test; an image belongs to one patient (`survkit cohort check` "
                "lists all)"
            )


def _listed(source: ImageSource) -> Listed:
    return [(row, path) for row, path in enumerate(source.files.image) if path is not None]


def _shared(listed: Listed, patients: Sequence[str | None]) -> Iterator[tuple[int, int, str]]:
    """Yield a row, a row of another patient with the same image, and how it is the same."""
    told: set[int] = set()
    by_path: dict[str, list[int]] = {}
    for row, path in listed:
        by_path.setdefault(str(path.absolute().resolve()), []).append(row)
    for row, other in _foreign(by_path.values(), patients):
        told.add(row)
        yield row, other, "this file is also"
    for row, other in _foreign(_same_bytes(listed), patients):
        if row not in told:
            yield row, other, "its bytes are those of"


def _foreign(
    alike: Iterable[list[int]], patients: Sequence[str | None]
) -> Iterator[tuple[int, int]]:
    for rows in alike:
        for row in rows:
            other = next((one for one in rows if patients[one] != patients[row]), None)
            if other is not None:
                yield row, other


def _same_bytes(listed: Listed) -> list[list[int]]:
    by_size: dict[int, Listed] = {}
    for row, path in listed:
        if path.is_file():
            by_size.setdefault(path.stat().st_size, []).append((row, path))
    found: dict[bytes, list[int]] = {}
    for alike in by_size.values():
        if len(alike) < 2:
            continue
        for row, path in alike:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            found.setdefault(digest, []).append(row)
    return [rows for rows in found.values() if len(rows) > 1]
