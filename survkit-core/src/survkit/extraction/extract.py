"""Extracts the features of all subjects of a cohort."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from survkit.data import Cohort
from survkit.data.jobs import check_jobs
from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.readers.all_columns import PLACE
from survkit.data.shared_files import refuse_shared_files
from survkit.errors import ConfigError, DataError
from survkit.extraction.raw_modality import only_imaging, raw_modality
from survkit.extraction.settings import SHAPE_NAMES, ExtractionSettings
from survkit.extraction.subject_features import Floats, SubjectWork
from survkit.radiomics import FEATURE_NAMES, shape_features
from survkit.worker_processes import in_processes

if TYPE_CHECKING:
    from pandas import DataFrame

    from survkit.data import PreparationCache

Progress = Callable[[int, int], None]
"""Called with how many subjects are done, and of how many."""

CHUNKS_PER_JOB = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """What was extracted.

    Attributes:
        modality: Whose features they are.
        table: A row per subject, or per patch of a subject; subjects without the modality have
            none.
        failed: Whose features could not be computed, and why.
        without: Subjects who do not have the modality.
    """

    modality: str
    table: DataFrame
    failed: tuple[Problem, ...]
    without: int


def extract_features(
    cohort: Cohort,
    settings: ExtractionSettings,
    *,
    modality: str | None = None,
    cache: PreparationCache | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Extraction:
    """Compute the radiomic features of an image or volume of every subject.

    Intensities are those of the cohort file's declaration (HU of a CT; resampled, resized and
    cropped as it says) but without its ``window``. Nothing is fitted: a subject's numbers depend on
    its own files and the settings alone.

    Args:
        cohort: Outcomes are not looked at.
        settings: What is extracted.
        modality: Of the cohort; its only image or volume by default.
        cache: Where finished subjects are kept, so that an interrupted run goes on.
        jobs: Worker processes; -1 for one per core.
        progress: Told after every subject.

    Raises:
        ConfigError: The modality is none that has such features.
        DataError: Nobody has it, or two patients have one image.
        MissingExtraError: Shape features are asked for, and pyradiomics is not installed.
    """
    check_jobs(jobs)
    modality = modality or only_imaging(cohort)
    source = raw_modality(cohort, modality, settings)
    kind = cohort.declaration(modality).kind
    if settings.shape:
        shape_features(torch.ones(2, 2, 2, dtype=torch.bool), (1.0, 1.0, 1.0))  # is it installed?
    _refuse_names(cohort, settings, kind)
    rows = np.flatnonzero(source.available).tolist()
    if not rows:
        raise DataError(f"{cohort.source}: none of {len(cohort)} subjects has '{modality}'")
    refuse_shared_files(cohort, [modality])
    work = SubjectWork(source, settings, cache)
    found: dict[int, Floats] = {}
    failed: list[Problem] = []
    for done, (row, result) in enumerate(_results(work, rows, jobs), start=1):
        if isinstance(result, str):
            subject = cohort.subjects[row]
            failed.append(Problem(spreadsheet_row(row), subject, modality, result))
        else:
            found[row] = result
        if progress is not None:
            progress(done, len(rows))
    return Extraction(
        modality=modality,
        table=_table(cohort, settings, kind, dict(sorted(found.items()))),
        failed=tuple(sorted(failed, key=lambda one: one.row or 0)),
        without=len(cohort) - len(rows),
    )


def _refuse_names(cohort: Cohort, settings: ExtractionSettings, kind: str) -> None:
    name = cohort.config.subject
    if name in (*settings.features(kind), *PLACE):
        raise ConfigError(
            f"{cohort.source}: the column of subjects is named '{name}', as is a column of "
            "features; rename it"
        )


def _results(
    work: SubjectWork, rows: Sequence[int], jobs: int
) -> Iterator[tuple[int, Floats | str]]:
    """Yield the subjects: first what is kept already, then what workers compute."""
    left = []
    for row in rows:
        kept = work.find(row)
        if kept is None:
            left.append(row)
        else:
            yield row, kept
    if jobs == 1 or len(left) < 2:
        yield from ((row, work.run(row)) for row in left)
        return
    from joblib import cpu_count

    workers = cpu_count() if jobs == -1 else jobs  # type: ignore[no-untyped-call]
    count = min(len(left), workers * CHUNKS_PER_JOB)
    chunks = np.array_split(np.array(left, dtype=np.int64), count)
    calls = ((replace(work, source=work.source.take(chunk)), chunk.tolist()) for chunk in chunks)
    for part in in_processes(_run_all, calls, jobs=workers, tasks=count, ordered=False):
        yield from part


def _run_all(work: SubjectWork, rows: list[int]) -> list[tuple[int, Floats | str]]:
    """Compute the subjects of a chunk, which are at places 0, 1, … of the worker's source."""
    return [(row, work.run(place)) for place, row in enumerate(rows)]


def _table(
    cohort: Cohort, settings: ExtractionSettings, kind: str, found: dict[int, Floats]
) -> DataFrame:
    """Return the subjects in the order of the cohort, with the classes that are asked for."""
    import pandas as pd

    place = PLACE if settings.region == "patches" else ()
    shape = SHAPE_NAMES[kind] if settings.shape else ()
    computed = [*place, *FEATURE_NAMES, *shape]
    rows = np.concatenate([np.empty((0, len(computed))), *found.values()])
    names = list(settings.features(kind))
    chosen = [computed.index(name) for name in names]
    frame = pd.DataFrame(rows[:, chosen], columns=names)
    for column, name in reversed([*enumerate(place)]):
        frame.insert(0, name, rows[:, column].astype(np.int64))
    subject = [cohort.subjects[row] for row, values in found.items() for _ in values]
    frame.insert(0, cohort.config.subject, subject)
    return frame
