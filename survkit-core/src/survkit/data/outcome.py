"""What was observed, from the columns that the cohort file names.

Every wrong cell is a problem with its row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.data.cohort_config import OutcomeConfig
from survkit.data.problem import Problem, spreadsheet_row
from survkit.data.text_table import TextTable
from survkit.flow import SurvivalTarget

UNKNOWN_CODE = "unknown event code"
"""How the message on a code that the cohort file does not name begins."""
UNKNOWN_EVENT = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """Columns as arrays (subject).

    Attributes:
        duration: float64.
        event: 0 for censored, 1..K for a cause; int64.
        entry: Delayed entry; float64.
        weight: Case weight; float64.
        strata: Index of the group among the sorted names of all groups; int64.
    """

    duration: NDArray[np.float64]
    event: NDArray[np.int64]
    entry: NDArray[np.float64] | None = None
    weight: NDArray[np.float64] | None = None
    strata: NDArray[np.int64] | None = None

    def target(self, rows: NDArray[np.int64]) -> SurvivalTarget:
        """Return the rows as the record that losses and metrics read."""

        def chosen(values: NDArray[Any] | None) -> torch.Tensor | None:
            return None if values is None else torch.from_numpy(values[rows])

        return SurvivalTarget(
            duration=torch.from_numpy(self.duration[rows]),
            event=torch.from_numpy(self.event[rows]),
            entry=chosen(self.entry),
            weight=chosen(self.weight),
            strata=chosen(self.strata),
        )

    def take(self, rows: NDArray[np.int64]) -> Outcome:
        """Return the given subjects."""
        return Outcome(
            self.duration[rows],
            self.event[rows],
            None if self.entry is None else self.entry[rows],
            None if self.weight is None else self.weight[rows],
            None if self.strata is None else self.strata[rows],
        )


def read_outcome(
    table: TextTable, config: OutcomeConfig, subjects: Sequence[str | None], strata: str | None
) -> tuple[Outcome, list[Problem]]:
    """Read the outcome columns; cells listed as problems hold NaN or :data:`UNKNOWN_EVENT`.

    Of subjects who are left out by ``unknown: exclude``, a warning is all that is said.
    """
    problems: list[Problem] = []

    def report(index: int, column: str, message: str) -> None:
        problems.append(Problem(spreadsheet_row(index), subjects[index], column, message))

    duration = _positive(table, config.duration, report, "a duration")
    event = _events(table, config, report)
    weight = entry = None
    if config.weight is not None:
        weight = _positive(table, config.weight, report, "a case weight")
    if config.entry is not None:
        entry = _entries(table, config, duration, report)
    groups = None if strata is None else _groups(table, strata)
    outcome = Outcome(duration, event, entry, weight, groups)
    left_out = set() if config.unknown == "refuse" else set(_empty_cells(table, config.event))
    rows = {spreadsheet_row(index) for index in left_out}
    problems = [problem for problem in problems if problem.row not in rows]
    message = "the event is missing, so the subject is left out (outcome.unknown: exclude)"
    problems += [
        Problem(spreadsheet_row(index), subjects[index], config.event, message, "warning")
        for index in sorted(left_out)
    ]
    return outcome, problems


def finite_numbers(
    table: TextTable, column: str, report: Any, what: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return a column's numbers and which are usable; report every other cell."""
    values, wrong = table.numbers(column)
    usable = np.isfinite(values)
    for index in np.flatnonzero(~usable):
        if wrong[index]:
            report(index, column, f"{what} must be a number, not '{table.column(column)[index]}'")
        elif np.isinf(values[index]):
            report(index, column, f"{what} must be finite, not {values[index]:g}")
        else:
            report(index, column, f"{what} is missing")
    return values, usable


def _positive(table: TextTable, column: str, report: Any, what: str) -> NDArray[np.float64]:
    values, usable = finite_numbers(table, column, report, what)
    for index in np.flatnonzero(usable & ~(values > 0)):
        report(index, column, f"{what} must be > 0, but is {values[index]:g}")
    return values


def _entries(
    table: TextTable, config: OutcomeConfig, duration: NDArray[np.float64], report: Any
) -> NDArray[np.float64]:
    column = str(config.entry)
    values, usable = finite_numbers(table, column, report, "an entry time")
    for index in np.flatnonzero(usable & (values < 0)):
        report(index, column, f"an entry time must be >= 0, but is {values[index]:g}")
    for index in np.flatnonzero(usable & (values >= duration)):
        report(
            index,
            column,
            f"the entry time {values[index]:g} must be before the duration {duration[index]:g}",
        )
    return values


def _events(table: TextTable, config: OutcomeConfig, report: Any) -> NDArray[np.int64]:
    meaning = {str(code): 0 for code in (config.censored, *config.censor)}
    meaning |= {str(code): k for k, code in enumerate(sorted_codes(config), start=1)}
    known = ", ".join(meaning)
    values, _ = table.numbers(config.event)
    event = np.full(len(table), UNKNOWN_EVENT, dtype=np.int64)
    for index, text in enumerate(table.text(config.event)):
        number = values[index]
        code = str(int(number)) if np.isfinite(number) and number == int(number) else text
        if text is None:
            report(
                index,
                config.event,
                f"the event is missing (codes: {known}); outcome.unknown: exclude leaves such "
                "subjects out, and says so",
            )
        elif code in meaning:
            event[index] = meaning[code]
        elif np.isfinite(number) and number != int(number):
            report(index, config.event, f"event codes are integers, not {text} (codes: {known})")
        else:
            report(
                index,
                config.event,
                f"{UNKNOWN_CODE} {text}; known are {known}: name it under outcome.causes, or "
                "list it under outcome.censor to count it as censored",
            )
    return event


def _empty_cells(table: TextTable, column: str) -> list[int]:
    return [index for index, text in enumerate(table.text(column)) if text is None]


def sorted_codes(config: OutcomeConfig) -> list[int | str]:
    """Return the causes' codes in the order that gives causes their numbers 1..K."""
    return sorted(config.causes, key=lambda code: (isinstance(code, str), code))


def _groups(table: TextTable, column: str) -> NDArray[np.int64]:
    """Return the index of each subject's group; a missing one is reported elsewhere."""
    text = table.text(column)
    order = {name: k for k, name in enumerate(sorted({cell for cell in text if cell is not None}))}
    return np.array([order.get(cell, len(order)) for cell in text], dtype=np.int64)
