"""Rows that belong together, such as the images of one patient, stand on one side of a fold."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.rules.subject_overlap import UNKNOWN_TRAINING

NAME = "group-overlap"
_Parted = tuple[str, list[str]]


def _check(evidence: Evidence) -> Answer:
    group = _groups(evidence)
    if not group:
        return NotChecked(
            "no groups are known: neither survkit's table nor the cohort file names any (key group)"
        )
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    wrong: list[_Parted] = []
    inner: list[_Parted] = []
    for division in evidence.folds:
        trained, chosen, tested = (
            {group[name] for name in part if name in group}
            for part in (division.train, division.validation, division.test)
        )
        if both := sorted((trained | chosen) & tested):
            wrong.append((division.name, both))
        if both := sorted(trained & chosen):
            inner.append((division.name, both))
    folds = len(evidence.folds)
    return [
        *([_leak(wrong, folds)] if wrong else []),
        *([_overfitted(inner, folds)] if inner else []),
    ]


def _leak(wrong: list[_Parted], folds: int) -> Finding:
    return Finding(
        rule=NAME,
        severity="error",
        message="rows of one group are in training and in test of the same fold",
        evidence=_shown(wrong, folds),
        cure="name the group in the cohort file (group: patient_id), divide again and train again",
    )


def _overfitted(inner: list[_Parted], folds: int) -> Finding:
    return Finding(
        rule=NAME,
        severity="warning",
        message="rows of one group are in training and in validation of the same fold",
        evidence=_shown(inner, folds),
        cure="divide again with the group named: an epoch chosen on patients who trained is an "
        "overfitted one",
    )


def _shown(found: list[_Parted], folds: int) -> str:
    name, both = found[0]
    return f"{name}: {some(both)}; {len(found)} of {folds} folds"


def _groups(evidence: Evidence) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in (evidence.training, evidence.table):
        if table is not None and table.group is not None:
            found |= dict(zip(table.subject, table.group, strict=True))
    if evidence.cohort is not None and evidence.cohort.group is not None:
        found |= dict(zip(evidence.cohort.subjects, evidence.cohort.group, strict=True))
    return {name: group for name, group in found.items() if group}


RULE = Rule(
    name=NAME,
    asks="Do rows of one group, such as images of one patient, train and test in one fold?",
    guard="asked only where survkit's table or the cohort file names groups: in other tables a "
    "column group is often a risk group",
    source="Kaufman et al. (2012); images of one patient split as if independent",
    check=_check,
)
