"""All that is wrong with a cohort, each with its row; nothing is dropped or repaired."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from survkit.data.check_warnings import grid_warnings, outcome_warnings, table_warnings
from survkit.data.cohort import open_modality
from survkit.data.image_warnings import aspect_warnings, blank_warning
from survkit.data.jobs import check_jobs
from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.raw_cohort import RawCohort, outcome_problems, read_raw_cohort, subject_problems
from survkit.data.readers.image import ImageSource, read_sample
from survkit.data.readers.source import ModalitySource
from survkit.data.readers.table import TableSource
from survkit.data.readers.volume import VolumeSource
from survkit.data.shared_files import shared_file_problems
from survkit.data.strangers import stranger_warnings
from survkit.errors import DataError, UserError
from survkit.worker_processes import in_processes

Progress = Callable[[int, int], None]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One image to try."""

    source: VolumeSource | ImageSource
    row: int
    subject: str | None
    modality: str

    def run(self) -> Problem | _Seen:
        """Return what is wrong with the image, else what was seen of it."""
        try:
            if isinstance(self.source, ImageSource):
                return _seen(self.source)
            return _Seen(self.source.spec(np.array([0], dtype=np.int64)).shape)
        except DataError as error:
            return self.problem(str(error))

    def problem(self, message: str, severity: Literal["error", "warning"] = "error") -> Problem:
        """Return a problem of this image."""
        row = spreadsheet_row(self.row)
        return Problem(row, self.subject, self.modality, message, severity)


@dataclass(frozen=True, slots=True)
class _Seen:
    """An image that could be read.

    Attributes:
        shape: Of the prepared image.
        doubt: What should be looked at, if anything.
    """

    shape: Shape
    doubt: str | None = None


def _seen(source: ImageSource) -> _Seen:
    sample = read_sample(source.config, source.files, 0)
    values = sample.values
    blank = values.numel() > 1 and bool((values == values.flatten()[0]).all())
    return _Seen(tuple(values.shape), blank_warning(str(sample.source)) if blank else None)


def check_cohort(
    path: str | Path,
    *,
    table: str | Path | None = None,
    data_folder: str | Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> list[Problem]:
    """Read everything that a cohort names and return every problem, errors first, then by row.

    Args:
        path: The cohort file.
        table: Table to use instead of the one that it names.
        data_folder: What relative paths are relative to; default: the file's folder.
        jobs: Worker processes for images; -1 for one per core.
        progress: Told how many images are done, and of how many.

    Raises:
        ConfigError: The cohort file itself is wrong.
        DataError: The table cannot be read or lacks a column.
    """
    check_jobs(jobs)
    raw = read_raw_cohort(path, table=table, data_folder=data_folder)
    problems = subject_problems(raw)
    outcome, found = outcome_problems(raw)
    problems += found
    sources, found = _open_all(raw)
    problems += found
    if len(sources) == len(raw.config.modalities):
        problems += _subjects_without_any(raw, list(sources.values()))
    problems += shared_file_problems(raw, sources)
    problems += _image_problems(raw, sources, jobs, progress)
    problems += outcome_warnings(raw.config.outcome, outcome)
    volumes = {n: s.config for n, s in sources.items() if isinstance(s, VolumeSource)}
    problems += grid_warnings(volumes)
    for name, source in sources.items():
        problems += stranger_warnings(raw, name)
        if isinstance(source, ImageSource):
            problems += aspect_warnings(name, source)
        if isinstance(source, TableSource):
            problems += table_warnings(name, source, outcome)
    return sorted(problems, key=lambda p: (p.severity, p.row is not None, p.row or 0))


def _open_all(raw: RawCohort) -> tuple[dict[str, ModalitySource], list[Problem]]:
    subjects = [name or "" for name in raw.subjects()]
    sources: dict[str, ModalitySource] = {}
    problems = []
    for name in raw.config.modalities:
        try:
            sources[name] = open_modality(raw, name, subjects)
        except UserError as error:
            problems.append(Problem(None, None, name, str(error)))
    return sources, problems


def _subjects_without_any(raw: RawCohort, sources: Sequence[ModalitySource]) -> list[Problem]:
    present = np.any([source.available for source in sources], axis=0)
    message = f"the subject has none of the modalities ({', '.join(raw.config.modalities)})"
    return [
        Problem(spreadsheet_row(int(row)), raw.subjects()[row], None, message)
        for row in np.flatnonzero(~present)
    ]


def _image_problems(
    raw: RawCohort,
    sources: dict[str, ModalitySource],
    jobs: int,
    progress: Progress | None,
) -> list[Problem]:
    subjects = raw.subjects()
    readings = [
        _Reading(source.take(np.array([row], dtype=np.int64)), int(row), subjects[row], name)
        for name, source in sources.items()
        if isinstance(source, VolumeSource | ImageSource)
        for row in np.flatnonzero(source.available)
    ]
    results = []
    for result in _run_all(readings, jobs):
        results.append(result)
        if progress is not None:
            progress(len(results), len(readings))
    problems = [result for result in results if isinstance(result, Problem)]
    shapes: dict[str, set[Shape]] = {}
    for reading, result in zip(readings, results, strict=True):
        if isinstance(result, _Seen):
            shapes.setdefault(reading.modality, set()).add(result.shape)
            if result.doubt is not None:
                problems.append(reading.problem(result.doubt, "warning"))
    for name, found in shapes.items():
        if len(found) > 1:
            shown = ", ".join(str(shape) for shape in sorted(found)[:3])
            more = ", …" if len(found) > 3 else ""
            flat = all(len(shape) == 3 for shape in found)
            message = (
                f"images have {len(found)} different shapes ({shown}{more}): only encoders that "
                "prepare images themselves take them; declare 'size' (and "
                + ("'fit: pad', which keeps their proportions)" if flat else "'spacing')")
            )
            problems.append(Problem(None, None, name, message, "warning"))
    return problems


def _run_all(readings: Sequence[_Reading], jobs: int) -> Iterator[Problem | _Seen]:
    if jobs == 1 or len(readings) < 2:
        return (reading.run() for reading in readings)
    calls = [(reading,) for reading in readings]
    return in_processes(_Reading.run, calls, jobs=jobs, tasks=len(calls))
