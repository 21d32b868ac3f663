"""What chooses the epoch or a setting must not be what is reported."""

from __future__ import annotations

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.rules.subject_overlap import UNKNOWN_TRAINING
from survkit.auditing.scoring import concordance

NAME = "validation-is-test"
FEWEST_FOLDS = 2


def _check(evidence: Evidence) -> Answer:
    if not evidence.folds:
        return NotChecked(UNKNOWN_TRAINING)
    findings = []
    inner = [(one, sorted(set(one.validation) & set(one.test))) for one in evidence.folds]
    shared = [(one, names) for one, names in inner if names]
    if shared:
        division, names = shared[0]
        findings.append(
            Finding(
                rule=NAME,
                severity="error",
                message="subjects that choose the epoch or a setting are also reported on",
                evidence=(
                    f"{division.name}: {some(names)} ({len(names)} of {len(set(division.test))} "
                    f"test subjects); {len(shared)} of {len(evidence.folds)} folds"
                ),
                cure="carve the validation part out of training; the test part chooses nothing",
            )
        )
    return findings + _chosen_on_test(evidence)


def _chosen_on_test(evidence: Evidence) -> list[Finding]:
    """Find validation scores that are the concordance of the test part to the last digit."""
    if evidence.run is None or len(evidence.table.causes) > 1:
        return []
    cause, equal, compared = evidence.table.causes[0], [], 0
    known = {(one.repeat, one.fold): one for one in evidence.folds}
    for fold in evidence.run.folds:
        division, score = known.get((fold.repeat, fold.fold)), fold.training.get("score")
        if division is None or score is None or fold.training.get("monitor") != "concordance":
            continue
        found = concordance(evidence.table, evidence.rows(division), cause)
        compared += found is not None
        if found is not None and abs(found.value - score) < 1e-6:
            equal.append(f"{fold.name}: {score:.4f}")
    if len(equal) < FEWEST_FOLDS or len(equal) < compared:
        return []
    return [
        Finding(
            rule=NAME,
            severity="error",
            message="the score that chose the epoch is the concordance of the test part",
            evidence="; ".join(equal[:4]),
            cure="choose the epoch on a validation part that is carved out of training",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Was the epoch or a setting chosen on subjects that are reported on?",
    guard="equal scores count only if they are equal to six digits in every fold, two or more",
    source="HECKTOR-2025 baseline (best fold by validation C), STAMP (early stopping); "
    "Cawley and Talbot (2010)",
    check=_check,
)
