"""Who was predicted by which model, beside who was to be tested by it."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some

NAME = "fold-membership"


def _check(evidence: Evidence) -> Answer:
    divisions, table = evidence.divisions, evidence.table
    if divisions is None or not divisions.stated:
        return NotChecked("nobody wrote down who was to be tested by which model; give --splits")
    known = {(one.repeat, one.fold): one for one in divisions.folds}
    parts = {
        key: {n: p for p in ("train", "validation", "test") for n in getattr(one, p)}
        for key, one in known.items()
    }
    trained, strange = [], []
    for row in np.flatnonzero(table.reported):
        key, subject = (table.repeat[row], table.fold[row]), table.subject[row]
        part = parts.get(key, {}).get(subject)
        if part in ("train", "validation"):
            trained.append((subject, key, part))
        elif part is None:
            strange.append(subject)
    findings = []
    if trained:
        subject, key, part = trained[0]
        findings.append(
            Finding(
                rule=NAME,
                severity="error",
                message=f"{len(trained)} predictions are by a model that had seen the subject",
                evidence=(
                    f"such as {subject}, predicted in repeat {key[0]}, fold {key[1]}, whose splits "
                    f"have it in {part}; {len({each[0] for each in trained})} subjects"
                ),
                cure="predict every subject by the model of the fold that tests it",
            )
        )
    if strange:
        findings.append(_strange(strange))
    return findings + _missed(evidence)


def _strange(subjects: list[str]) -> Finding:
    return Finding(
        rule=NAME,
        severity="warning",
        message=f"{len(set(subjects))} predicted subjects are in no part of their fold's splits",
        evidence=some(dict.fromkeys(subjects)),
        cure="give the splits that these predictions were made with",
    )


def _missed(evidence: Evidence) -> list[Finding]:
    """Find test subjects without a prediction: who was left out, and why?"""
    missed: dict[str, None] = {}
    for division in evidence.folds:
        found = set(evidence.table.subject[evidence.rows(division)])
        missed |= dict.fromkeys(name for name in division.test if name not in found)
    if not missed:
        return []
    return [
        Finding(
            rule=NAME,
            severity="warning",
            message=f"{len(missed)} test subjects have no prediction",
            evidence=some(missed),
            cure="predict them, or say who was left out and why before looking at the outcome",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Was every subject predicted by a model that had not trained on it?",
    guard="asked only of splits that somebody wrote down, never of folds inferred from the table",
    source="in-sample predictions reported as out-of-fold ones; SurvPath's mixed parts",
    check=_check,
)
