"""Risk score and survival curves of one model must order subjects alike."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import rank_correlation

NAME = "score-against-curves"
CONTRADICTS = -0.5
FEWEST_ROWS = 8


def _check(evidence: Evidence) -> Answer:
    table, findings, asked = evidence.table, [], False
    for cause in table.causes:
        curve = table.curves(cause)
        if curve is None:
            continue
        values = []
        for key in dict.fromkeys(zip(table.repeat, table.fold, strict=True)):
            rows = table.reported & (table.repeat == key[0]) & (table.fold == key[1])
            if rows.sum() >= FEWEST_ROWS:
                values.append(rank_correlation(table.risk[cause][rows], curve[1][rows, -1]))
        asked = asked or bool(values)
        if values and max(values) <= CONTRADICTS:
            findings.append(
                Finding(
                    rule=NAME,
                    severity="error",
                    message=f"risk score and curves of {cause} contradict each other",
                    evidence=(
                        f"rank correlation of the score with the predicted probability of the "
                        f"event by {curve[0][-1]:g}: {np.mean(values):.2f} on average over "
                        f"{len(values)} folds"
                    ),
                    cure="one of the two has its sign turned: higher score = earlier event",
                )
            )
    return findings if asked else NotChecked("there are no curves beside the risk scores")


RULE = Rule(
    name=NAME,
    asks="Do the risk score and the curves order subjects in opposite ways?",
    guard="the rank correlation must be below -0.5 in every fold; crossing curves do not do that",
    source="scikit-survival #383 (which metric wants which function); pycox #33",
    check=_check,
)
