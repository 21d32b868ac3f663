"""A model that says the same of everybody, or nothing of some."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, Rule, some

NAME = "constant-predictions"
FEWEST_ROWS = 5


def _check(evidence: Evidence) -> Answer:
    table, findings = evidence.table, []
    keys = list(dict.fromkeys(zip(table.repeat, table.fold, strict=True)))
    for cause in table.causes:
        score, constant, asked = table.risk[cause], [], 0
        missing = np.flatnonzero(table.reported & ~np.isfinite(score))
        if len(missing):
            findings.append(
                Finding(
                    rule=NAME,
                    severity="error",
                    message=f"{len(missing)} rows have no finite risk score of {cause}",
                    evidence=f"subjects {some(table.subject[missing])}",
                    cure="predict everybody; whoever is dropped in silence changes the metric",
                )
            )
        for key in keys:
            rows = table.reported & (table.repeat == key[0]) & (table.fold == key[1])
            values = score[rows & np.isfinite(score)]
            if len(values) < FEWEST_ROWS:
                continue
            asked += 1
            if np.ptp(values) <= 1e-12 * max(1.0, float(np.abs(values).max())):
                constant.append(f"repeat {key[0]}, fold {key[1]}: {values[0]:g}")
        if constant:
            findings.append(
                Finding(
                    rule=NAME,
                    severity="warning",
                    message=f"the risk score of {cause} is the same for everybody in "
                    f"{len(constant)} of {asked} folds",
                    evidence="; ".join(constant[:4]),
                    cure="the model did not train there; look at its log before averaging folds",
                )
            )
    return findings


RULE = Rule(
    name=NAME,
    asks="Does a fold predict the same for everybody, or nothing for some?",
    guard="folds of five subjects or more; equal to twelve digits",
    source="collapsed training averaged in as 0.5; pycox (a constant model scored 0.0)",
    check=_check,
)
