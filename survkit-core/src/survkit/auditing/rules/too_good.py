"""Nobody foretells survival that well."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, Rule
from survkit.auditing.scoring import concordance, scorable, target_of
from survkit.auditing.table import Table
from survkit.metrics import Estimate, integrated_brier_score_incidence

NAME = "too-good"
CONCORDANCE, SCALED_BRIER = 0.95, 0.85
FEWEST_EVENTS = 10
CURE = (
    "look for columns that know the outcome (--features) and for subjects in both parts; plant a "
    "permuted outcome and train again: the concordance must fall to 0.5"
)


def _check(evidence: Evidence) -> Answer:
    table, findings = evidence.table, []
    for cause in table.causes:
        found = concordance(table, table.reported, cause, error=True)
        if found is None or found.events < FEWEST_EVENTS:
            continue
        if found.value > CONCORDANCE:
            findings.append(
                Finding(
                    rule=NAME,
                    severity="warning",
                    message=f"the concordance of {cause} is implausibly good",
                    evidence=f"{found.value:.3f} (standard error {found.error:.3f}), "
                    f"{found.events} events in {found.subjects} subjects",
                    cure=CURE,
                )
            )
        gain = _scaled_brier(table, cause)
        if gain is not None and gain > SCALED_BRIER:
            findings.append(
                Finding(
                    rule=NAME,
                    severity="warning",
                    message=f"the predicted probabilities of {cause} are implausibly good",
                    evidence=f"the integrated Brier score is {1 - gain:.3f} of that of a forecast "
                    "that is the same for everybody",
                    cure=CURE,
                )
            )
    return findings


def _scaled_brier(table: Table, cause: str) -> float | None:
    """Return 1 - IBS / IBS of the mean forecast, on the reported rows of the first repeat."""
    curve = table.curves(cause)
    rows = table.reported & (table.repeat == table.repeat[0])
    if curve is None or len(curve[0]) < 2 or table.entry is not None:
        return None
    chosen = scorable(table, rows, cause)
    times, values = curve[0], curve[1][chosen]
    target = replace(target_of(table, chosen), strata=None)
    known = (times > 0) & (times < float(target.duration.max()))
    if known.sum() < 2 or not np.isfinite(values).all() or values.min() < 0 or values.max() > 1:
        return None
    values, grid = np.ascontiguousarray(values[:, known]), times[known].tolist()
    mean = np.broadcast_to(values.mean(axis=0), values.shape).copy()
    code = 1 + table.causes.index(cause)
    scores = [
        integrated_brier_score_incidence(torch.from_numpy(one), grid, target, target, cause=code)
        for one in (values, mean)
    ]
    own, reference = scores
    if not isinstance(own, Estimate) or not isinstance(reference, Estimate):
        return None
    return 1 - own.value / reference.value if reference.value > 0 else None


RULE = Rule(
    name=NAME,
    asks="Is a result better than survival can be foretold?",
    guard="a concordance above 0.95, or a Brier score below 15 % of a constant forecast's",
    source="Kapoor and Narayanan (2023), leakage and the reproducibility crisis",
    check=_check,
)
