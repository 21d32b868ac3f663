"""What the weights that training started from have seen must not be what is tested."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.auditing.division import Division
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.run_files import FoldFiles, RunFiles
from survkit.transfer.exposure import Exposure, read_exposures

NAME = "start-weights"


def _check(evidence: Evidence) -> Answer:
    run = evidence.run
    folds = () if run is None else run.folds
    started = [fold for fold in folds if isinstance(fold.training.get("init"), dict)]
    if run is None or not started:
        return NotChecked("no training is known to have started from trained weights")
    return [*_seen(evidence, run, started), *_unknown(started)]


def _seen(evidence: Evidence, run: RunFiles, started: list[FoldFiles]) -> list[Finding]:
    """Find test subjects of the same cohort on the lists that lie beside the models."""
    known = {(one.repeat, one.fold): one for one in evidence.folds}
    found = []
    for fold in started:
        if (division := known.get((fold.repeat, fold.fold))) is None:
            continue
        for one in read_exposures(fold.folder):
            if seen := _shared(one, run, division):
                found.append(f"{fold.name}: {some(seen)} ({len(seen)} of {len(division.test)})")
    if not found:
        return []
    return [
        Finding(
            rule=NAME,
            severity="error",
            message="the weights that training started from had seen subjects who are tested",
            evidence="; ".join(found[:3]),
            cure="start from weights of the same splits, fold by fold, or from other weights",
        )
    ]


def _shared(one: Exposure, run: RunFiles, division: Division) -> list[str]:
    """Return the test subjects whom the weights know, themselves or by what they belong to."""
    same = one.cohort == run.cohort.get("name") or one.fingerprint == run.run.get("cohort")
    if not same or one.subjects is None:
        return []
    groups: Mapping[str, Any] = run.run.get("groups") or {}
    owners = one.groups or frozenset()
    test = sorted(set(division.test))
    return [name for name in test if name in one.subjects or groups.get(name) in owners]


def _unknown(started: list[FoldFiles]) -> list[Finding]:
    """Find weights without the list of their subjects, such as those of a model on the Hub."""
    told = [
        (fold, fold.training["init"])
        for fold in started
        if fold.training["init"].get("unknown_exposure")
    ]
    if not told:
        return []
    fold, init = told[0]
    cohorts = some(name or "one without a name" for name in init["unknown_exposure"])
    return [
        Finding(
            rule=NAME,
            severity="warning",
            message="nobody can tell which subjects the weights that training started from had "
            "seen, so that it rests on the user's word that none is tested",
            evidence=(
                f"{fold.name}: {init['source']}, of the cohort {cohorts}; {len(told)} of "
                f"{len(started)} folds"
            ),
            cure="make sure that the cohorts share nobody, or start from the run folder of those "
            "weights, whose splits are compared",
        )
    ]


RULE = Rule(
    name=NAME,
    asks="Had the weights that training started from seen subjects who are tested?",
    guard="an error only for subjects on the list beside a model, of a cohort of the same name or "
    "content",
    source="foundation models tested on cohorts that they were pretrained on",
    check=_check,
)
