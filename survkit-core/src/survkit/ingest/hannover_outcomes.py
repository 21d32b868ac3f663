"""What happened after an image of the Hannover collection, by three definitions.

Discharge from the ward is not recorded, so whoever left it is censored at the last day on which
something of the patient is known: an image, or the intensive care unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from survkit.ingest.hannover_table import Exam


@dataclass(frozen=True, slots=True)
class Ending:
    """What was observed after an image: days, and the event's code; 0 is censored."""

    days: float
    event: int


Rule = Callable[[Exam, Sequence[Exam]], "Ending | str"]
"""From an image and all of its patient to what happened, or why the image is not at risk."""


@dataclass(frozen=True, slots=True)
class HannoverOutcome:
    """An endpoint.

    Attributes:
        causes: Name by code.
        rule: What happened after an image.
        per_patient: Whether the first image alone is a row; else every image at risk is.
    """

    causes: dict[int, str]
    rule: Rule
    per_patient: bool


def death(exam: Exam, exams: Sequence[Exam]) -> Ending | str:
    """Return the time to death."""
    if exam.death is not None:
        return Ending(exam.death - exam.day, 1)
    return Ending(last_known(exams) - exam.day, 0)


def composite(exam: Exam, exams: Sequence[Exam]) -> Ending | str:
    """Return the time to intensive care or death, whichever comes first."""
    if exam.icu_in is not None and exam.icu_in <= exam.day:
        return (
            "the patient was in intensive care by the day of the image, so cannot be admitted to it"
        )
    ends = [day for day in (exam.icu_in, exam.death) if day is not None]
    if ends:
        return Ending(min(ends) - exam.day, 1)
    return Ending(last_known(exams) - exam.day, 0)


def landmark(exam: Exam, exams: Sequence[Exam]) -> Ending | str:
    """Return the time from an image in intensive care to leaving it alive (1) or to death (2)."""
    if exam.icu_in is None or not exam.icu_in <= exam.day:
        return "the image was not taken in intensive care"
    if exam.icu_out is not None and exam.icu_out < exam.day:
        return "the image was not taken in intensive care"
    if exam.death is not None and (exam.icu_out is None or exam.death <= exam.icu_out):
        return Ending(exam.death - exam.day, 2)
    if exam.icu_out is not None:
        return Ending(exam.icu_out - exam.day, 1)
    return Ending(last_known(exams) - exam.day, 0)


def last_known(exams: Sequence[Exam]) -> float:
    """Return the last day on which something is known of a patient who did not die."""
    days = [day for exam in exams for day in (exam.day, exam.icu_in, exam.icu_out)]
    return max(day for day in days if day is not None)


OUTCOMES = {
    "composite": HannoverOutcome({1: "ICU or death"}, composite, True),
    "landmark": HannoverOutcome({1: "discharge from ICU", 2: "death"}, landmark, False),
    "death": HannoverOutcome({1: "death"}, death, True),
}


def number(days: float) -> Any:
    """Return whole days as a whole number."""
    return int(days) if days == int(days) else days
