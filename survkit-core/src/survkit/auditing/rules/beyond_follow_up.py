"""Statements about times that nobody was followed to."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "beyond-follow-up"
FEWEST_AT_RISK = 10


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    ends = [float(c[0][-1]) for cause in table.causes if (c := table.curves(cause)) is not None]
    if table.horizon is not None:
        ends = [table.horizon]
    usable = table.usable & table.reported
    if not ends or not usable.any():
        return NotChecked("the table has no curves and names no horizon")
    horizon, longest = max(ends), float(table.duration[usable].max())
    subjects = dict(zip(table.subject[usable], table.duration[usable], strict=True))
    left = int(np.sum(np.array(list(subjects.values())) >= horizon))
    events = {
        name
        for name, time, code in zip(
            table.subject[usable], table.duration[usable], table.event[usable], strict=True
        )
        if code > 0 and time <= horizon
    }
    if longest < horizon:
        return [
            Finding(
                rule=NAME,
                severity="warning",
                message=f"predictions reach to {horizon:g}, but nobody was followed that long",
                evidence=f"the longest duration is {longest:g} among {len(subjects)} subjects",
                cure="set the horizon to a time at which some subjects are still at risk",
            )
        ]
    if left < FEWEST_AT_RISK and len(events) < len(subjects):
        return [
            Finding(
                rule=NAME,
                severity="note",
                message=f"only {left} subjects are at risk at {horizon:g}",
                evidence=f"{left} of {len(subjects)} subjects; {len(events)} events by then",
                cure="what is said about that time rests on them; use an earlier horizon",
            )
        ]
    return []


RULE = Rule(
    name=NAME,
    asks="Do predictions or metrics reach beyond the follow-up?",
    guard="a warning only if nobody at all was followed that long",
    source="scikit-survival #86 #511; torchsurv #102 (weights past the last training time)",
    check=_check,
)
