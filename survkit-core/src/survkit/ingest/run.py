"""An ingest from end to end: discover, plan, convert, write."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from survkit.data.jobs import check_jobs
from survkit.dicom.discover import Discovery, Progress, discover
from survkit.dicom.silent import silent_pydicom
from survkit.dicom.walk import walk
from survkit.errors import DataError
from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.convert import Converted, convert
from survkit.ingest.documents import (
    clean,
    clean_left,
    cohort_yaml,
    ingest_json,
    quality_csv,
    refused_csv,
)
from survkit.ingest.folder import IngestFolder
from survkit.ingest.plan import Case, plan
from survkit.ingest.refused import Left
from survkit.ingest.scrub import Scrub, header_secrets
from survkit.ingest.settings import IngestSettings
from survkit.worker_processes import in_processes

Bar = Callable[[str], AbstractContextManager[Progress | None]]
"""Gives a function that is told of progress, for a title."""


@dataclass(frozen=True, slots=True)
class Running:
    """How an ingest is run; none of it changes a result.

    Attributes:
        jobs: Worker processes; -1 for one per core.
        overwrite: Replace the ingested cohort that is there.
        resume: Go on with an interrupted ingest.
        bar: Shows progress.
    """

    jobs: int = 1
    overwrite: bool = False
    resume: bool = False
    bar: Bar = lambda _title: nullcontext()


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest wrote.

    Attributes:
        folder: The cohort's.
        subjects: In ``table.csv``.
        files: How many files each added column names.
        left: All lines of ``refused.csv``.
        kept: How many cases an interrupted ingest had finished.
        rows: How many subjects the clinical table has.
    """

    folder: Path
    subjects: tuple[str, ...]
    files: Mapping[str, int]
    left: tuple[Left, ...]
    kept: int
    rows: int


@silent_pydicom()
def ingest(
    source: Path,
    table: ClinicalTable,
    out: Path,
    *,
    cohort: CohortPlan,
    settings: IngestSettings,
    running: Running | None = None,
) -> Ingested:
    """Write a cohort from a folder of DICOM files and a clinical table.

    Subjects are the rows of the table; each gets the image of every modality that the rules choose.
    Who has none is not in the cohort. Whatever is not used stands in ``refused.csv`` with a reason.

    Args:
        source: Folder with the DICOM files, in any order and depth.
        table: Of :func:`survkit.ingest.read_clinical_table`.
        out: Folder to write.
        cohort: What ``cohort.yaml`` says of the outcome.
        settings: Which series and regions.
        running: Processes and folders.

    Raises:
        DataError: There is no such folder, or nobody of the table has a usable image.
        ConfigError: A setting is wrong.
        RunError: The folder exists or cannot be written.
        MissingExtraError: pydicom or SimpleITK is not installed.
    """
    running = running or Running()
    check_jobs(running.jobs)
    table.refuse_missing(cohort.columns())
    table.refuse_present([*cohort.derived, *settings.columns()])
    place = IngestFolder(out, overwrite=running.overwrite, resume=running.resume)
    place.refuse_inside(source)
    name = out.absolute().name
    cohort.content(name, table, settings, settings.columns())  # refused before an hour's work
    with running.bar("reading headers") as progress:
        found = discover(source, jobs=running.jobs, progress=progress)
    cases, left = plan(found, table, settings, source)
    scrub = _scrub(found, table, source)
    left = clean_left(left, scrub)
    if not cases:
        raise DataError(_nobody(left, source, table))
    described = settings.described() | {
        "table": table.sha256,
        "folder": hashlib.sha256(str(source.resolve()).encode()).hexdigest(),
    }
    place.start(described)
    with place.attempt():
        results, kept = _convert_all(cases, settings, place, scrub, running)
        left += [line for result in results for line in result.left]
        usable = [result for result in results if result.cells]
        if not usable:
            raise DataError(_nobody(left, source, table))
        place.finish(_documents(usable, table, cohort, settings, found, left, name))
    files = Counter(column for result in usable for column in result.cells)
    who = tuple(r.subject for r in usable)
    return Ingested(out, who, files, tuple(left), kept, len(table.rows))


def _convert_all(
    cases: Sequence[Case],
    settings: IngestSettings,
    place: IngestFolder,
    scrub: Scrub,
    running: Running,
) -> tuple[list[Converted], int]:
    """Convert the cases that are not finished, and return all in order and how many were."""
    place.forget_others(cases)
    done = {case.subject: result for case in cases if (result := place.finished(case))}
    kept = len(done)
    todo = [case for case in cases if case.subject not in done]
    for case in todo:
        place.begin(case)
    with running.bar("converting") as progress:
        by_subject = {case.subject: case for case in todo}
        for result in _run(todo, settings, place.work, running.jobs):
            cleaned = clean(result, scrub)
            place.keep(by_subject[result.subject], cleaned)
            done[result.subject] = cleaned
            if progress is not None:
                progress(len(done), len(cases))
    return [done[case.subject] for case in cases], kept


def _run(
    cases: Sequence[Case], settings: IngestSettings, folder: Path, jobs: int
) -> Iterator[Converted]:
    if jobs == 1 or len(cases) < 2:
        yield from (convert(case, settings, folder) for case in cases)
        return
    calls = [(case, settings, folder) for case in cases]
    yield from in_processes(convert, calls, jobs=jobs, tasks=len(calls), ordered=False)


def _documents(
    usable: Sequence[Converted],
    table: ClinicalTable,
    cohort: CohortPlan,
    settings: IngestSettings,
    found: Discovery,
    left: Sequence[Left],
    name: str,
) -> dict[str, str]:
    added = {
        column: {r.subject: r.cells[column] for r in usable if column in r.cells}
        for column in settings.columns()
    }
    written = [column for column, cells in added.items() if cells]
    content = cohort.content(name, table, settings, written)
    counts = {
        "subjects_in_table": len(table.rows),
        "subjects_written": len(usable),
        "files_by_column": {column: len(cells) for column, cells in added.items()},
        "files_left": sum(line.files for line in left),
        "files_ignored": dict(found.ignored),
        "modalities_left_out": list(cohort.left_out),
    }
    return {
        "cohort.yaml": cohort_yaml(content),
        "table.csv": table.text((r.subject for r in usable), {**cohort.derived, **added}),
        "refused.csv": refused_csv(left),
        "quality.csv": quality_csv(usable),
        "ingest.json": ingest_json(settings.described(), counts, left),
    }


def _scrub(found: Discovery, table: ClinicalTable, source: Path) -> Scrub:
    """Hide what headers hold: of one file per series, and of every file that is in none."""
    in_series = {header.path for each in found.series for header in each.files}
    paths = [each.first.path for each in found.series]
    paths += [path for path in walk(source)[0] if path not in in_series]
    patients = {each.patient_id for each in found.series}
    patients |= {each.patient_id for each in found.others}
    patients |= {each.patient_id for each in found.refused}
    return Scrub(header_secrets(paths) | (patients - set(table.rows)), allowed=table.rows)


def _nobody(left: Sequence[Left], source: Path, table: ClinicalTable) -> str:
    """Say in one line why there is no cohort, by rule with an example of each."""
    faults = [line for line in left if not line.expected] or list(left)
    counts = Counter(line.rule for line in faults if line.rule != "no-images")
    examples = {line.rule: line for line in reversed(faults)}
    reasons = [
        f"{count} x {rule} ({examples[rule].what}: {examples[rule].reason})"
        for rule, count in counts.most_common(5)
    ]
    first = next(iter(table.rows), "")
    return (
        f"{source}: no subject of {table.source} (ids such as '{first}') has a usable image: "
        + ("; ".join(reasons) or "it holds no DICOM image")
    )
