"""A subject in training and in test: the model is asked what it was told."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.scoring import concordance

NAME = "subject-overlap"
UNKNOWN_TRAINING = (
    "it is not known who trained; give --splits, or the columns part or fold in the table"
)


def _check(evidence: Evidence) -> Answer:
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    findings = []
    tested = [(one, sorted(set(one.train) & set(one.test))) for one in evidence.folds]
    shared = [(one, names) for one, names in tested if names]
    if shared:
        everybody = sorted({name for _, names in shared for name in names})
        division, names = shared[0]
        findings.append(
            Finding(
                rule=NAME,
                severity="error",
                message=f"{len(everybody)} subjects are in training and in test of the same fold",
                evidence=(
                    f"{division.name}: {some(names)} ({len(names)} of {len(set(division.test))} "
                    f"test subjects); {len(shared)} of {len(evidence.folds)} folds"
                    + _inflation(evidence)
                ),
                cure="split by subject, all series of a subject in one part, and train again",
            )
        )
    inner = [(one, sorted(set(one.train) & set(one.validation))) for one in evidence.folds]
    both = [(one, names) for one, names in inner if names]
    if both:
        division, names = both[0]
        findings.append(
            Finding(
                rule=NAME,
                severity="warning",
                message="subjects are in training and in validation of the same fold",
                evidence=f"{division.name}: {some(names)}; {len(both)} folds",
                cure="split by subject: an epoch chosen on training subjects is an overfitted one",
            )
        )
    return findings


def _inflation(evidence: Evidence) -> str:
    """Say what the concordance is without those who also trained."""
    table = evidence.table
    scored, clean = np.zeros(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
    for division in evidence.folds:
        rows, trained = evidence.rows(division), set(division.train)
        scored |= rows
        clean |= rows & np.array([name not in trained for name in table.subject], dtype=bool)
    for cause in table.causes:
        before = concordance(table, scored, cause)
        after = concordance(table, clean, cause, error=True)
        if before is not None and after is not None:
            return (
                f". Harrell's concordance within folds is {before.value:.3f} as reported and "
                f"{after.value:.3f} (standard error {after.error:.3f}) without them, "
                f"{after.subjects} subjects"
            )
    return ". Nobody is left to be scored without them"


RULE = Rule(
    name=NAME,
    asks="Is a subject in training (or validation) and in test of the same fold?",
    guard="names must be equal; folds are compared one by one, for a subject may train in another",
    source="Kaufman et al. (2012); MCAT #25; scans of one subject split as if independent",
    check=_check,
)
