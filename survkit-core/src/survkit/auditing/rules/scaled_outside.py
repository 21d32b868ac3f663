"""Columns that were standardised over everybody before they were split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.rules.subject_overlap import UNKNOWN_TRAINING
from survkit.auditing.table import Floats

NAME = "scaled-outside"
EXACT = 1e-4
"""How near 0 and 1 mean and deviation must be: tables are written with six digits or so."""
FEWEST, FEWEST_RANGES = 20, 3


def _check(evidence: Evidence) -> Answer:
    features = evidence.features
    if features is None or not features.foreign:
        return NotChecked("no table of features is given (--features)")
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    known = set(evidence.table.subject).union(
        *(set(one.train) | set(one.validation) | set(one.test) for one in evidence.folds)
    )
    everybody = features.rows_of(sorted(known))
    training = [features.rows_of(one.train) for one in evidence.folds]
    standard, ranged = [], []
    for name, values in features.numeric.items():
        if everybody.sum() < FEWEST:
            break
        parts = [values[rows] for rows in training]
        if _is_standard(values[everybody]) and not any(map(_is_standard, parts)):
            standard.append(name)
        elif _is_range(values[everybody]) and not all(map(_is_range, parts)):
            ranged.append(name)
    findings = []
    if standard:
        column = features.numeric[standard[0]]
        findings.append(_standardised(standard, column[everybody], column[training[0]]))
    if len(ranged) >= FEWEST_RANGES:
        findings.append(_ranged(ranged))
    return findings


def _standardised(names: Sequence[str], whole: Floats, part: Floats) -> Finding:
    return Finding(
        rule=NAME,
        severity="error",
        message=f"{len(names)} columns were standardised over training and test together",
        evidence=(
            f"{some(names)}; {names[0]} has mean {np.nanmean(whole):.2g} and SD "
            f"{np.nanstd(whole):.6f} over all, {np.nanmean(part):.4f} and {np.nanstd(part):.4f} "
            "over the training part of the first fold"
        ),
        cure="standardise by mean and SD of the training part, in every fold anew",
    )


def _ranged(names: Sequence[str]) -> Finding:
    return Finding(
        rule=NAME,
        severity="warning",
        message=f"{len(names)} columns were scaled to 0 and 1 over training and test together",
        evidence=f"{some(names)}; smallest or largest value of each belongs to a test subject",
        cure="scale by the range of the training part, in every fold anew",
    )


def _is_standard(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    if len(known) < FEWEST or len(np.unique(known)) < 3:
        return False
    deviations = (known.std(ddof=0), known.std(ddof=1))
    return abs(known.mean()) < EXACT and any(abs(one - 1) < EXACT for one in deviations)


def _is_range(values: Floats) -> bool:
    known = values[np.isfinite(values)]
    return (
        len(known) >= FEWEST
        and len(np.unique(known)) > 0.5 * len(known)
        and float(known.min()) == 0.0
        and float(known.max()) == 1.0
        and int((known == 0).sum()) == 1
        and int((known == 1).sum()) == 1
    )


RULE = Rule(
    name=NAME,
    asks="Were the columns scaled by statistics of training and test together?",
    guard=(
        "mean 0 and SD 1 to four digits over all and in no training part; ranges only if three or "
        "more columns are exactly 0 to 1, each end reached once"
    ),
    source="HECKTOR-2021 and 2025 entries (age), Dynamic-DeepHit #5",
    check=_check,
)
