"""``--layout hannover-cxr``: radiographs of COVID-19 with their course in hospital."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.follow_up import follow_up_left
from survkit.ingest.hannover_outcomes import OUTCOMES, HannoverOutcome, number
from survkit.ingest.hannover_table import Exam, disagreements, read_exams, refuse_outcome
from survkit.ingest.image_cohort import ImageCohort, start_image_cohort, write_image_cohort
from survkit.ingest.listed_image import ListedImage
from survkit.ingest.refused import Left
from survkit.ingest.run import Ingested, Running

LAYOUT = "hannover-cxr"
DURATION, EVENT = "time_days", "event"
PATIENT, IMAGE_ID = "patient_id", "image_id"


def ingest_hannover(
    source: Path, out: Path, *, outcome: str, running: Running | None = None
) -> Ingested:
    """Write a cohort that names the collection's files; time in days from the image.

    Args:
        source: The collection's folder.
        out: Folder to write.
        outcome: ``"composite"`` (intensive care or death) or ``"death"`` from a patient's first
            image, or ``"landmark"``: from each image in intensive care to leaving it alive or to
            death, the images of a patient grouped.
        running: Processes and folders; there is nothing to resume.

    Raises:
        DataError: The table or every image is unusable.
        ConfigError: Another table, no such outcome, or a number of processes that means nothing.
        RunError: The folder exists or cannot be written.
    """
    running = running or Running()
    refuse_outcome(outcome, tuple(OUTCOMES))
    place = start_image_cohort(source, out, running)
    exams, form, table = read_exams(source)
    asked = OUTCOMES[outcome]
    listed, left = _rows(exams, asked)
    subject = PATIENT if asked.per_patient else IMAGE_ID
    plan = CohortPlan(
        {"duration": DURATION, "unit": "days", "event": EVENT, "causes": dict(asked.causes)},
        {} if asked.per_patient else {"group": PATIENT},
        {"clinical": {"kind": "table", "columns": ["sex"], "categorical": ["sex"]}},
    )
    described = {"layout": LAYOUT, "outcome": outcome, "form": form, "table": table.sha256}
    cohort = ImageCohort(listed, left, plan, subject, described, len(exams))
    return write_image_cohort(source, place, cohort, running)


def _rows(exams: Sequence[Exam], asked: HannoverOutcome) -> tuple[list[ListedImage], list[Left]]:
    """Return the images at risk and followed up, and why the others are not."""
    of_patient: dict[str, list[Exam]] = {}
    for exam in exams:
        of_patient.setdefault(exam.patient, []).append(exam)
    wrong = disagreements(exams)
    listed: list[ListedImage] = []
    left: list[Left] = []
    for patient, own in of_patient.items():
        if patient in wrong:
            what = f"all images of {patient}"
            left.append(Left(patient, what, "contradiction", wrong[patient], len(own)))
            continue
        ordered = sorted(own, key=lambda exam: exam.day)
        chosen = ordered[:1] if asked.per_patient else ordered
        if ordered[len(chosen) :]:
            reason = "the patient's first image is the baseline; this outcome has one row each"
            later = ordered[len(chosen) :]
            left.append(Left(patient, "later images", "later-image", reason, len(later), True))
        for exam in chosen:
            found = _row(exam, own, asked)
            (left if isinstance(found, Left) else listed).append(found)  # type: ignore[arg-type]
    return listed, left


def _row(exam: Exam, own: Sequence[Exam], asked: HannoverOutcome) -> ListedImage | Left:
    subject = exam.patient if asked.per_patient else exam.image
    what = f"image {exam.image}"
    ending = asked.rule(exam, own)
    if isinstance(ending, str):
        return Left(subject, what, "not-at-risk", ending, 1, True)
    refused = follow_up_left(subject, what, ending.days)
    if refused is not None:
        return refused
    cells: Mapping[str, Any] = {
        PATIENT: exam.patient,
        IMAGE_ID: exam.image,
        **exam.cells,
        "exam_day": number(exam.day),
        DURATION: number(ending.days),
        EVENT: ending.event,
    }
    return ListedImage(subject, exam.patient, exam.path, {k: str(v) for k, v in cells.items()})
