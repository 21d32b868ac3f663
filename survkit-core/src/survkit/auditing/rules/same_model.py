"""Repeats whose predictions are equal to the last digit were made by one model."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule

NAME = "same-model"
EQUAL, FEWEST_VALUES = 0.95, 20


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    repeats = list(dict.fromkeys(table.repeat))
    if len(repeats) < 2:
        return NotChecked("there is one repeat")
    findings = []
    for cause in table.causes:
        found: list[dict[str, float]] = []
        for name in repeats:
            rows = np.flatnonzero(table.reported & (table.repeat == name))
            found.append(dict(zip(table.subject[rows], table.risk[cause][rows], strict=True)))
        both = [name for name in found[0] if name in found[1]]
        equal = sum(found[0][name] == found[1][name] for name in both)
        distinct = len({found[0][name] for name in both})
        if distinct < FEWEST_VALUES or equal < EQUAL * len(both):
            continue
        findings.append(
            Finding(
                rule=NAME,
                severity="warning",
                message=f"the scores of {cause} are the same in different repeats",
                evidence=f"{equal} of {len(both)} subjects have equal scores in repeats "
                f"{repeats[0]} and {repeats[1]}, {distinct} different values",
                cure=(
                    "train anew in every fold and repeat; if the score was fixed before this "
                    "cohort was seen, say so: there is nothing to cross-validate then"
                ),
            )
        )
    return findings


RULE = Rule(
    name=NAME,
    asks="Are predictions of different repeats equal, so that one model made them all?",
    guard="twenty or more different scores, 95 % of them equal to the last digit",
    source="one model, trained on everybody, evaluated fold by fold",
    check=_check,
)
