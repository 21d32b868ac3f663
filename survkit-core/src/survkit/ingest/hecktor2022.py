"""HECKTOR 2022, task 2, as the challenge ships it: NIfTI files and two tables.

``imagesTr/CHUM-001__CT.nii.gz`` (HU) and ``CHUM-001__PT.nii.gz`` (SUV),
``labelsTr/CHUM-001.nii.gz`` (1 the primary tumour GTVp, 2 the nodes GTVn),
``hecktor2022_clinical_info_training.csv`` and ``hecktor2022_endpoint_training.csv``. The files are
read where they lie: the cohort's table names them, and nothing is written beside them.

Reference: Andrearczyk et al. (2023), doi:10.1007/978-3-031-27420-6_1; hecktor.grand-challenge.org.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError, DataError
from survkit.ingest.clinical_table import ClinicalTable, read_clinical_table
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.collection import Columns
from survkit.ingest.convert import IMAGES, Converted
from survkit.ingest.documents import cohort_yaml, ingest_json, quality_csv, refused_csv
from survkit.ingest.folder import IngestFolder
from survkit.ingest.hecktor_case import CT, MASKS, PET, check_case
from survkit.ingest.refused import Left
from survkit.ingest.run import Ingested, Running
from survkit.worker_processes import in_processes

CLINICAL = "hecktor2022_clinical_info_training.csv"
ENDPOINT = "hecktor2022_endpoint_training.csv"
SUBJECT, SITE, DURATION, EVENT = "PatientID", "CenterID", "RFS", "Relapse"
NUMBERS = ("Age",)
NAMES = ("Gender", "Tobacco", "Alcohol", "Performance status", "Surgery", "Chemotherapy")
HPV = "HPV status"
"""Start of the column's name, which goes on with its coding."""


@dataclass(frozen=True, slots=True)
class _Tables:
    """Both tables of the challenge."""

    clinical: ClinicalTable
    endpoint: ClinicalTable

    @property
    def subjects(self) -> list[str]:
        """Return who has an outcome and a row of clinical columns, in the outcomes' order."""
        return [name for name in self.endpoint.rows if name in self.clinical.rows]

    def outcome(self, column: str) -> dict[str, str]:
        """Return a column of the outcomes by subject."""
        place = self.endpoint.header.index(column)
        return {subject: row[place] for subject, row in self.endpoint.rows.items()}


def ingest_hecktor2022(source: Path, out: Path, *, running: Running | None = None) -> Ingested:
    """Write a cohort that names the challenge's files; recurrence-free survival in days.

    Args:
        source: The folder ``hecktor2022_training``.
        out: Folder to write.
        running: Processes and folders; there is nothing to resume.

    Raises:
        DataError: A table or every case is unusable.
        ConfigError: A table lacks a column, or a number of processes that means nothing.
        RunError: The folder exists or cannot be written.
    """
    running = running or Running()
    check_jobs(running.jobs)
    if running.resume:
        raise ConfigError("hecktor2022 copies nothing, so there is nothing to resume")
    place = IngestFolder(out, overwrite=running.overwrite, resume=False)
    place.refuse_inside(source)
    tables = _read_tables(source)
    left = _without_row(tables, source)
    results: list[Converted] = []
    with running.bar("checking images") as progress:
        for result in _check_all(tables.subjects, source, out, running.jobs):
            results.append(result)
            if progress is not None:
                progress(len(results), len(tables.subjects))
    left += [line for result in results for line in result.left]
    usable = [result for result in results if CT in result.cells or PET in result.cells]
    if not usable:
        raise DataError(
            f"{source}: no subject of {ENDPOINT} has a usable image in imagesTr"
            + (f" ({left[0].what}: {left[0].reason})" if left else "")
        )
    documents = _documents(out.absolute().name, tables, usable, left)
    place.start({"layout": "hecktor2022"})
    with place.attempt():
        (place.work / IMAGES).rmdir()
        place.finish(documents)
    files = Counter(column for result in usable for column in result.cells)
    names = tuple(result.subject for result in usable)
    return Ingested(out, names, files, tuple(left), 0, len(tables.endpoint.rows))


def _read_tables(source: Path) -> _Tables:
    clinical = read_clinical_table(source / CLINICAL, subject=SUBJECT)
    endpoint = read_clinical_table(source / ENDPOINT, subject=SUBJECT)
    clinical.refuse_missing([SITE, *NUMBERS, *NAMES, _hpv(clinical)])
    endpoint.refuse_missing([DURATION, EVENT])
    clinical.refuse_present([DURATION, EVENT, CT, PET, *MASKS])
    return _Tables(clinical, endpoint)


def _hpv(table: ClinicalTable) -> str:
    return next((name for name in table.header if name.startswith(HPV)), HPV)


def _check_all(subjects: Sequence[str], source: Path, out: Path, jobs: int) -> Iterator[Converted]:
    if jobs == 1 or len(subjects) < 2:
        yield from (check_case(subject, source, out) for subject in subjects)
        return
    cases = [(subject, source, out) for subject in subjects]
    yield from in_processes(check_case, cases, jobs=jobs, tasks=len(cases))


def _without_row(tables: _Tables, source: Path) -> list[Left]:
    """Say who is left out for a table: no outcome is a decision of the challenge, not a fault."""
    left = [
        Left(name, "the subject", "no-table-row", f"{CLINICAL} has no row of the subject", 0)
        for name in tables.endpoint.rows if name not in tables.clinical.rows
    ]  # fmt: skip
    images = sorted((source / "imagesTr").glob("*__*.nii.gz"))
    counts = Counter(path.name.split("__")[0] for path in images)
    reason = f"{ENDPOINT} has no row of the subject: it belongs to task 1 alone"
    left += [
        Left(name, "the images", "no-endpoint", reason, count, True)
        for name, count in sorted(counts.items()) if name not in tables.endpoint.rows
    ]  # fmt: skip
    return left


def _documents(
    name: str, tables: _Tables, usable: Sequence[Converted], left: Sequence[Left]
) -> dict[str, str]:
    columns = Columns(SUBJECT, DURATION, EVENT, NUMBERS, (*NAMES, _hpv(tables.clinical)), SITE)
    plan = CohortPlan(
        columns.outcome("relapse"),
        {"site": SITE},
        {"clinical": columns.clinical()},
        preparation="petct",
    )
    files = {
        column: {r.subject: r.cells[column] for r in usable if column in r.cells}
        for column in (CT, *MASKS[:1], PET, *MASKS[1:])
    }
    files = {column: cells for column, cells in files.items() if cells}
    volumes = {}
    for key, image, mask in (("ct", CT, MASKS[0]), ("pet", PET, MASKS[1])):
        if image in files:
            masked = {"mask": mask} if mask in files else {}
            volumes[key] = {"kind": "volume", "path": image, **masked}
    subjects = [result.subject for result in usable]
    added = {column: tables.outcome(column) for column in (DURATION, EVENT)}
    counts = {
        "subjects_in_table": len(tables.endpoint.rows),
        "subjects_written": len(subjects),
        "files_by_column": {column: len(cells) for column, cells in files.items()},
    }
    return {
        "cohort.yaml": cohort_yaml(plan.file_content(name, SUBJECT, volumes)),
        "table.csv": tables.clinical.text(subjects, {**added, **files}),
        "refused.csv": refused_csv(left),
        "quality.csv": quality_csv(usable),
        "ingest.json": ingest_json({"layout": "hecktor2022"}, counts, left),
    }
