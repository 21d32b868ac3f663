"""A cohort of radiographs where they lie: every file read, nothing copied, nothing repaired."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.data.jobs import check_jobs
from survkit.errors import ConfigError, DataError
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.convert import IMAGES
from survkit.ingest.documents import cohort_yaml, ingest_json, quality_csv, refused_csv
from survkit.ingest.folder import IngestFolder
from survkit.ingest.listed_image import IMAGE, CheckedImage, ListedImage, check_image
from survkit.ingest.refused import Left
from survkit.ingest.run import Ingested, Running
from survkit.worker_processes import in_processes

MODALITY = "cxr"


@dataclass(frozen=True, slots=True)
class ImageCohort:
    """What a layout found out before any picture is read.

    Attributes:
        listed: The rows, in order.
        left: Rows and files that are refused already.
        plan: What ``cohort.yaml`` says beside the image.
        subject: Column of the rows' id.
        described: The settings, for ``ingest.json``.
        rows: How many rows the table has.
    """

    listed: Sequence[ListedImage]
    left: Sequence[Left]
    plan: CohortPlan
    subject: str
    described: Mapping[str, Any]
    rows: int


def start_image_cohort(source: Path, out: Path, running: Running) -> IngestFolder:
    """Refuse what cannot be before any table is read.

    Raises:
        DataError: There is no such folder.
        ConfigError: A number of processes that means nothing, or there is nothing to resume.
        RunError: The folder to write exists or is not to be replaced.
    """
    check_jobs(running.jobs)
    if running.resume:
        raise ConfigError("radiographs stay where they are, so there is nothing to resume")
    if not source.is_dir():
        raise DataError(f"{source}: there is no such folder")
    place = IngestFolder(out, overwrite=running.overwrite, resume=False)
    place.refuse_inside(source)
    return place


def write_image_cohort(
    source: Path, place: IngestFolder, cohort: ImageCohort, running: Running
) -> Ingested:
    """Read every listed image, and write the cohort of those that can be used.

    An image whose bytes two patients have is refused for both.

    Raises:
        DataError: No image can be used; the first reason is named.
        RunError: The folder cannot be written.
    """
    out = place.final
    checked: list[CheckedImage] = []
    with running.bar("reading images") as progress:
        for each in _check_all(cohort.listed, source, out, running.jobs):
            checked.append(each)
            if progress is not None:
                progress(len(checked), len(cohort.listed))
    _refuse_shared(cohort.listed, checked)
    left = [*cohort.left, *(line for each in checked for line in each.result.left)]
    pairs = zip(cohort.listed, checked, strict=True)
    usable = [(listed, each) for listed, each in pairs if each.result.cells]
    if not usable:
        first = next((line for line in left if not line.expected), None)
        why = "" if first is None else f" ({first.what}: {first.reason})"
        raise DataError(f"{source}: no image can be used{why}")
    documents = _documents(out.absolute().name, cohort, usable, left)
    place.start(cohort.described)
    with place.attempt():
        (place.work / IMAGES).rmdir()
        place.finish(documents)
    names = tuple(listed.subject for listed, _ in usable)
    return Ingested(out, names, {IMAGE: len(usable)}, tuple(left), 0, cohort.rows)


def _check_all(
    listed: Sequence[ListedImage], source: Path, out: Path, jobs: int
) -> Iterator[CheckedImage]:
    if jobs == 1 or len(listed) < 2:
        yield from (check_image(each, source, out) for each in listed)
        return
    images = [(each, source, out) for each in listed]
    yield from in_processes(check_image, images, jobs=jobs, tasks=len(images))


def _refuse_shared(listed: Sequence[ListedImage], checked: Sequence[CheckedImage]) -> None:
    """Refuse images that several patients have: nobody knows whose they are."""
    owners: dict[str, list[int]] = {}
    for row, each in enumerate(checked):
        if each.digest:
            owners.setdefault(each.digest, []).append(row)
    for rows in owners.values():
        if len({listed[row].patient for row in rows}) < 2:
            continue
        for row in rows:
            other = next(one for one in rows if listed[one].patient != listed[row].patient)
            reason = (
                f"an image belongs to one patient, but the same bytes are listed for "
                f"'{listed[row].patient}' and '{listed[other].patient}' ({checked[other].shown}); "
                "find out whose it is"
            )
            result = checked[row].result
            result.cells.clear()
            result.quality.clear()
            result.left.append(
                Left(listed[row].subject, checked[row].shown, "shared-image", reason, 1)
            )


def _documents(
    name: str,
    cohort: ImageCohort,
    usable: Sequence[tuple[ListedImage, CheckedImage]],
    left: Sequence[Left],
) -> dict[str, str]:
    image: dict[str, Any] = {"kind": "image", "path": IMAGE}
    if any(each.converted for _, each in usable):
        image["convert"] = True
    counts = {
        "rows_in_table": cohort.rows,
        "images_written": len(usable),
        "patients": len({listed.patient for listed, _ in usable}),
    }
    return {
        "cohort.yaml": cohort_yaml(
            cohort.plan.file_content(name, cohort.subject, {MODALITY: image})
        ),
        "table.csv": _table(usable),
        "refused.csv": refused_csv(left),
        "quality.csv": quality_csv([each.result for _, each in usable]),
        "ingest.json": ingest_json(cohort.described, counts, left),
    }


def _table(usable: Sequence[tuple[ListedImage, CheckedImage]]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*usable[0][0].cells, IMAGE])
    for listed, each in usable:
        writer.writerow([*listed.cells.values(), each.result.cells[IMAGE]])
    return stream.getvalue()
