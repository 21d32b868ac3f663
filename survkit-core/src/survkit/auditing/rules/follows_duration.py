"""A score that knows when follow-up ended, even of those to whom nothing happened."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import rank_correlation

NAME = "follows-duration"
KNOWS = 0.9
FEWEST_CENSORED, FEWEST_IN_FOLD = 20, 5


def _check(evidence: Evidence) -> Answer:
    table, findings, asked = evidence.table, [], False
    censored = table.reported & table.usable & (table.event == 0)
    for cause in table.causes:
        values, weights = [], []
        for key in dict.fromkeys(zip(table.repeat, table.fold, strict=True)):
            rows = censored & (table.repeat == key[0]) & (table.fold == key[1])
            if rows.sum() >= FEWEST_IN_FOLD:
                values.append(rank_correlation(table.risk[cause][rows], table.duration[rows]))
                weights.append(int(rows.sum()))
        if sum(weights) < FEWEST_CENSORED:
            continue
        asked = True
        mean = float(np.average(values, weights=weights))
        if abs(mean) >= KNOWS:
            findings.append(
                Finding(
                    rule=NAME,
                    severity="error",
                    message=f"the risk score of {cause} is a function of the duration",
                    evidence=(
                        f"rank correlation {mean:.3f} with the duration among {sum(weights)} "
                        "censored rows, whose end of follow-up no baseline measurement knows"
                    ),
                    cure="find the input that holds the duration (--features names it)",
                )
            )
    if asked:
        return findings
    return NotChecked(f"fewer than {FEWEST_CENSORED} censored subjects in folds of five or more")


RULE = Rule(
    name=NAME,
    asks="Does the risk score order censored subjects by their duration?",
    guard="when somebody is censored depends little on risk: 0.9 is far beyond any clean cohort",
    source="the duration, or what is computed from it, among the inputs",
    check=_check,
)
