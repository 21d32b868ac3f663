"""The direction of the score was chosen fold by fold, or repeat by repeat."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import concordance, rank_correlation
from survkit.auditing.table import Table

NAME = "mixed-orientation"
OPPOSED = 0.5
"""Rank correlation that counts as one direction, with the sign turned as the other."""
CLEAR = 3.5
"""Standard errors from chance, on both sides: of many folds of a useless model some lie far off."""
FEWEST_ROWS, FEWEST_EVENTS = 8, 20


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    keys = list(dict.fromkeys(zip(table.repeat, table.fold, strict=True)))
    if len(keys) < 2:
        return NotChecked("there is one fold")
    findings = []
    for cause in table.causes:
        for what, evidence_text in (
            ("against its own curves", _against_curves(table, cause, keys)),
            ("against the outcome", _against_outcome(table, cause, keys)),
            ("from one repeat to another", _between_repeats(table, cause)),
        ):
            if evidence_text:
                findings.append(
                    Finding(
                        rule=NAME,
                        severity="error",
                        message=f"the direction of the risk score of {cause} changes {what}",
                        evidence=evidence_text,
                        cure=(
                            "fix the direction from the model (higher = earlier event), the same "
                            "in every fold; never take the one that scores better"
                        ),
                    )
                )
                break
    return findings


def _against_curves(table: Table, cause: str, keys: list[tuple[str, str]]) -> str:
    curve = table.curves(cause)
    if curve is None:
        return ""
    found = {}
    for key in keys:
        rows = table.reported & (table.repeat == key[0]) & (table.fold == key[1])
        if rows.sum() >= FEWEST_ROWS:
            found[key] = rank_correlation(table.risk[cause][rows], curve[1][rows, -1])
    with_it = [key for key, value in found.items() if value >= OPPOSED]
    against = [key for key, value in found.items() if value <= -OPPOSED]
    if not with_it or not against:
        return ""
    return (
        f"rank correlation of score and predicted probability: {found[with_it[0]]:.2f} in fold "
        f"{with_it[0][1]}, {found[against[0]]:.2f} in fold {against[0][1]} "
        f"({len(with_it)} folds one way, {len(against)} the other)"
    )


def _against_outcome(table: Table, cause: str, keys: list[tuple[str, str]]) -> str:
    found = {}
    for key in keys:
        rows = table.reported & (table.repeat == key[0]) & (table.fold == key[1])
        one = concordance(table, rows, cause, error=True)
        if one is not None and one.events >= FEWEST_EVENTS:
            found[key] = one
    above = [key for key, one in found.items() if one.deviations >= CLEAR]
    below = [key for key, one in found.items() if one.deviations <= -CLEAR]
    if not above or not below:
        return ""
    high, low = found[above[0]], found[below[0]]
    return (
        f"concordance {high.value:.3f} in fold {above[0][1]} and {low.value:.3f} in fold "
        f"{below[0][1]}, both further from 0.5 than {CLEAR} standard errors"
    )


def _between_repeats(table: Table, cause: str) -> str:
    repeats = list(dict.fromkeys(table.repeat))
    values = []
    for name in repeats:
        rows = np.flatnonzero(table.reported & (table.repeat == name))
        values.append(dict(zip(table.subject[rows], table.risk[cause][rows], strict=True)))
    for first, second in pairwise(values):
        both = [name for name in first if name in second]
        if len(both) < FEWEST_ROWS:
            continue
        correlation = rank_correlation(
            np.array([first[n] for n in both]), np.array([second[n] for n in both])
        )
        if correlation <= -OPPOSED:
            return f"rank correlation of the scores of two repeats {correlation:.2f}"
    return ""


RULE = Rule(
    name=NAME,
    asks="Does the direction of the risk score change between folds or repeats?",
    guard="both directions must be clear: correlations beyond 0.5, or 3.5 standard errors",
    source="STAMP PR #132: whichever orientation scored better was taken",
    check=_check,
)
