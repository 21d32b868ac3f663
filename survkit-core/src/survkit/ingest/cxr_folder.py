"""``--layout cxr-folder``: any folder of radiographs and a clinical table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from survkit.dicom.walk import walk
from survkit.errors import ConfigError, DataError
from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan, OutcomeRequest, plan_cohort
from survkit.ingest.follow_up import FollowUpTimes
from survkit.ingest.image_cohort import ImageCohort, start_image_cohort, write_image_cohort
from survkit.ingest.listed_image import IMAGE, ListedImage, is_picture
from survkit.ingest.refused import Left
from survkit.ingest.run import Ingested, Running

LAYOUT = "cxr-folder"
FILE = "file"
"""Column that names each row's file, relative to the folder; without it names are matched."""


def ingest_cxr_folder(
    source: Path,
    table: ClinicalTable,
    out: Path,
    *,
    asked: OutcomeRequest,
    group: str | None = None,
    running: Running | None = None,
) -> Ingested:
    """Write a cohort that names the files of PNG, JPEG, TIFF or DICOM in a folder.

    A row's file stands in its column ``file``; without that column it is the one picture, at any
    depth, whose name without its ending is the row's id.

    Args:
        source: The folder.
        table: One row per image, of :func:`survkit.ingest.read_clinical_table`.
        out: Folder to write.
        asked: What the user says of the outcome.
        group: Column of the patient, where one has several images.
        running: Processes and folders; there is nothing to resume.

    Raises:
        DataError: No image can be used.
        ConfigError: A column is not there, or a setting means nothing.
        RunError: The folder exists or cannot be written.
    """
    running = running or Running()
    place = start_image_cohort(source, out, running)
    plan = plan_cohort(table, asked)
    if group is not None:
        plan = replace(plan, others={**plan.others, "group": group})
    table.refuse_missing(plan.columns())
    table.refuse_present([IMAGE])
    files, left = _files(source, table)
    listed, refused = _rows(table, plan, files)
    described = {"layout": LAYOUT, "table": table.sha256, "group": plan.others.get("group")}
    cohort = ImageCohort(
        listed, [*left, *refused], plan, table.subject_column, described, len(table.rows)
    )
    return write_image_cohort(source, place, cohort, running)


def _files(source: Path, table: ClinicalTable) -> tuple[dict[str, Path], list[Left]]:
    """Return the file of each row, and rows and files that do not find each other."""
    if FILE in table.header:
        return _named_files(source, table)
    pictures = _pictures(source)
    by_name: dict[str, list[Path]] = {}
    for path in pictures:
        by_name.setdefault(path.name, []).append(path)
        if path.stem != path.name:
            by_name.setdefault(path.stem, []).append(path)
    found, left = {}, []
    for subject in table.rows:
        own = by_name.get(subject, [])
        if len(own) == 1:
            found[subject] = own[0]
        elif not own:
            left.append(_no_image(subject, "no picture in the folder is named so"))
        else:
            names = ", ".join(path.relative_to(source).as_posix() for path in own[:3])
            reason = f"one picture per row is expected, but {len(own)} are named so ({names}); "
            reason += "name the file of each row in a column 'file'"
            left.append(Left(subject, "the row", "several-images", reason, len(own)))
    taken = {path for own in by_name.values() for path in own if _named(path, table)}
    return found, [*left, *_unlisted(pictures, taken)]


def _named_files(source: Path, table: ClinicalTable) -> tuple[dict[str, Path], list[Left]]:
    place, inside = table.header.index(FILE), source.resolve()
    found, left = {}, []
    for subject, row in table.rows.items():
        if not row[place]:
            left.append(_no_image(subject, "the cell 'file' is empty"))
            continue
        path = source / row[place]
        if not path.resolve().is_relative_to(inside):
            raise DataError(
                f"{table.source}: the file of '{subject}' lies outside {source}: '{row[place]}'"
            )
        found[subject] = path
    return found, [*left, *_unlisted(_pictures(source), set(found.values()))]


def _named(path: Path, table: ClinicalTable) -> bool:
    return path.name in table.rows or path.stem in table.rows


def _pictures(source: Path) -> list[Path]:
    return [path for path in walk(source)[0] if is_picture(path)]


def _no_image(subject: str, reason: str) -> Left:
    return Left(subject, "the row", "no-image", f"{reason}; the row has no image", 0)


def _unlisted(pictures: Sequence[Path], taken: set[Path]) -> list[Left]:
    rest = [path for path in pictures if path not in taken]
    if not rest:
        return []
    reason = "the table has no row of these pictures, so nothing is known of them"
    return [Left("", f"{len(rest)} pictures", "not-in-table", reason, len(rest), True)]


def _rows(
    table: ClinicalTable, plan: CohortPlan, files: Mapping[str, Path]
) -> tuple[list[ListedImage], list[Left]]:
    """Return the rows with a file and a time above 0, and those whose time is none."""
    group = plan.others.get("group")
    if group is not None and group not in table.header:
        raise ConfigError(f"{table.source}: there is no column '{group}'")
    owner = table.header.index(group or table.subject_column)
    times = FollowUpTimes.of(table, plan)
    listed, left = [], []
    for subject, path in files.items():
        row = table.rows[subject]
        refused = times.refused(subject)
        if refused is not None:
            left.append(refused)
            continue
        cells = dict(zip(table.header, row, strict=True))
        listed.append(ListedImage(subject, row[owner], path, cells))
    return listed, left
