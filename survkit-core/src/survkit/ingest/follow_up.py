"""How long a row is followed up, or why that is no time; nothing is put in its place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from survkit.data.cohort_config import USUAL_MISSING
from survkit.data.text_table import TextTable
from survkit.ingest.clinical_table import ClinicalTable
from survkit.ingest.cohort_plan import CohortPlan
from survkit.ingest.refused import Left

CURE = "correct the table, or leave the image out"


@dataclass(frozen=True, slots=True)
class FollowUpTimes:
    """A table's column of times, read as the cohort will read it.

    Attributes:
        cells: As they stand in the table, by subject; ``None`` is missing.
        times: As numbers, by subject; NaN where there is none.
        unit: Of the times.
    """

    cells: dict[str, str | None]
    times: dict[str, float]
    unit: str

    @classmethod
    def of(cls, table: ClinicalTable, plan: CohortPlan) -> FollowUpTimes:
        """Read the column that the plan names."""
        name = plan.outcome["duration"]
        place = table.header.index(name)
        missing = plan.others.get("missing", USUAL_MISSING)
        read = [row[place] for row in table.rows.values()]
        given = [None if cell in missing else cell for cell in read]
        column = TextTable(table.source, {name: np.array(given, dtype=object)}, table.sha256)
        values, _ = column.numbers(name)
        cells = dict(zip(table.rows, given, strict=True))
        return cls(cells, dict(zip(cells, values.tolist(), strict=True)), plan.outcome["unit"])

    def refused(self, subject: str) -> Left | None:
        """Return why a row has no time above 0; ``None`` where it has one."""
        cell, time = self.cells[subject], self.times[subject]
        if np.isfinite(time):
            return follow_up_left(subject, "the row", time, self.unit)
        rule = "missing-time" if cell is None else "not-a-time"
        came = "is missing" if cell is None else f"is '{cell}'"
        reason = f"the time to event or censoring must be a number of {self.unit}, but {came}"
        return Left(subject, "the row", rule, f"{reason}; {CURE}", 1)


def follow_up_left(subject: str, what: str, time: float, unit: str = "days") -> Left | None:
    """Return why nobody is followed up for such a time; ``None`` for one above 0."""
    if time > 0:
        return None
    rule = "no-follow-up" if time == 0 else "negative-follow-up"
    reason = f"the time to event or censoring must be above 0 {unit}, but is {time:g}; {CURE}"
    return Left(subject, what, rule, reason, 1)
