"""Months labelled days, days labelled months."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "time-unit"
RANGE = {"days": (20.0, 60 * 366.0), "months": (3.0, 720.0), "years": (0.25, 60.0)}
"""Within which the longest follow-up of a cohort lies."""


def _check(evidence: Evidence) -> Answer:
    table, unit = evidence.table, evidence.unit
    if unit not in RANGE or not table.usable.any():
        return NotChecked("the unit of the durations is not known (--unit days, months or years)")
    longest = float(table.duration[table.usable].max())
    low, high = RANGE[unit]
    if low <= longest <= high:
        return []
    return [
        Finding(
            rule=NAME,
            severity="warning",
            message=f"the durations are probably not in {unit}",
            evidence=f"the longest is {longest:g} {unit}; {low:g} to {high:g} would be usual",
            cure="look at the table's documentation, and correct unit and horizon together",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Can the durations be in the unit that is named?",
    guard="only where the longest follow-up is shorter or longer than any study's in that unit",
    source="a horizon of 730 in a table of months",
    check=_check,
)
