"""Durations and events that cannot be."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, Rule, some
from survkit.auditing.table import Rows, Table

NAME = "impossible-outcome"


def _check(evidence: Evidence) -> Answer:
    table, findings = evidence.table, []
    whole = np.isfinite(table.event) & (table.event == np.round(table.event))
    problems: list[tuple[str, Rows, str]] = [
        ("has no duration", ~np.isfinite(table.duration), "find the duration"),
        ("has a duration of 0 or less", table.duration <= 0, "correct the dates"),
        ("has no event code", ~np.isfinite(table.event), "find out what happened"),
        (
            "has an event code that is no whole number from 0",
            np.isfinite(table.event) & (~whole | (table.event < 0)),
            "code 0 for censored and 1.. for causes",
        ),
        (
            f"has an event code beyond the {len(table.causes)} causes that are predicted",
            whole & (table.event > len(table.causes)),
            "predict every cause, or code what does not count as censored and say so",
        ),
        ("has no name", table.subject == "", "name every subject"),
    ]
    if table.entry is not None:
        problems.append(
            ("enters at or after its duration", table.entry >= table.duration, "correct the entry")
        )
    for what, wrong, cure in problems:
        rows = np.flatnonzero(wrong)
        if len(rows):
            findings.append(
                Finding(
                    rule=NAME,
                    severity="error",
                    message=f"{len(rows)} rows: a subject {what}",
                    evidence=f"subjects {some(table.subject[rows])}, data rows "
                    f"{some(rows + 1)} of {len(table)}",
                    cure=f"{cure}; rows that a metric drops in silence change what it says",
                )
            )
    return findings + _two_outcomes(table)


def _two_outcomes(table: Table) -> list[Finding]:
    outcomes: dict[str, set[tuple[float, float]]] = {}
    for row in np.flatnonzero(table.usable):
        pair = (float(table.duration[row]), float(table.event[row]))
        outcomes.setdefault(table.subject[row], set()).add(pair)
    several = {name: sorted(found) for name, found in outcomes.items() if len(found) > 1}
    if not several:
        return []
    name, found = next(iter(several.items()))
    return [
        Finding(
            rule=NAME,
            severity="error",
            message=f"{len(several)} subjects have several outcomes",
            evidence=f"{some(several)}; {name} has (duration, event) {some(found)}",
            cure="one outcome per subject; correct the join that made the table",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Is every outcome possible, and one per subject?",
    guard="only what no cohort can hold; durations in any unit are fine",
    source="joins by row order, dates of another patient",
    check=_check,
)
