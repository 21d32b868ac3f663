"""Weights for censoring come from censoring, in training subjects; nothing else will do."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.auditing.claims import Claim
from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule
from survkit.auditing.scoring import scorable, target_of
from survkit.auditing.table import Curves, Table
from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Estimate,
    Result,
    brier_score_incidence,
    integrated_brier_score_incidence,
    uno_concordance,
)

NAME = "wrong-ipcw"
KINDS = ("uno", "brier", "integrated_brier")
Weighting = Literal["training", "test", "events"]


@dataclass(frozen=True, eq=False)
class _Fold:
    """Scored rows of a fold and what was observed in them and in its training subjects."""

    rows: NDArray[np.intp]
    test: SurvivalTarget
    training: SurvivalTarget


def _check(evidence: Evidence) -> Answer:
    claims = [
        one
        for one in evidence.claims
        if one.kind in KINDS and not one.of and math.isfinite(one.value)
    ]
    if not claims:
        return NotChecked("no Uno concordance or Brier score is reported (--metrics)")
    if evidence.own_claims:
        return NotChecked("the numbers are survkit's own; reported-numbers computes them anew")
    table = evidence.table
    if table.entry is not None:
        return NotChecked("weights for censoring are not defined here with delayed entry")
    findings: list[Finding] = []
    for claim in claims:
        cause = claim.cause or table.causes[0]
        if cause not in table.causes:
            continue
        folds = list(_folds(evidence, cause))
        if not folds:
            return NotChecked("it is not known who trained; give --splits and --training")
        findings += _judge(claim, table, cause, folds)
    return findings


def _judge(claim: Claim, table: Table, cause: str, folds: list[_Fold]) -> Iterator[Finding]:
    values = {
        weighting: _values(claim, table, cause, [_weighted(fold, weighting) for fold in folds])
        for weighting in ("training", "test", "events")
    }
    right = values["training"]
    if not right or any(map(claim.equals, right.values())):
        return
    shown = _shown(values)
    evidence = f"reported {claim.value:g}; computed {shown}"
    if any(map(claim.equals, values["events"].values())):
        yield Finding(
            rule=NAME,
            severity="error",
            message=f"the censoring model of the reported {claim.metric} was fitted to the events",
            evidence=evidence,
            cure="fit it to censoring: a Kaplan–Meier curve in which being censored is the event",
        )
    elif any(map(claim.equals, values["test"].values())):
        yield Finding(
            rule=NAME,
            severity="warning",
            message=f"the weights of the reported {claim.metric} were fitted on test subjects",
            evidence=evidence,
            cure="estimate the censoring on the training part",
        )
    else:
        yield Finding(
            rule=NAME,
            severity="note",
            message=f"the reported {claim.metric} is not reproduced from the table",
            evidence=evidence,
            cure="say which times it covers and on whom the censoring was estimated",
        )


def _folds(evidence: Evidence, cause: str) -> Iterator[_Fold]:
    table, outcomes = evidence.table, evidence.outcomes()
    for division in evidence.folds:
        rows = scorable(table, evidence.rows(division), cause)
        known = [outcomes[name] for name in dict.fromkeys(division.train) if name in outcomes]
        if not len(rows) or not known:
            continue
        duration, event = (torch.tensor(column) for column in zip(*known, strict=True))
        training = SurvivalTarget(duration.double(), event.to(torch.int64))
        yield _Fold(rows, replace(target_of(table, rows), strata=None), training)


def _weighted(fold: _Fold, weighting: Weighting) -> _Fold:
    if weighting == "test":
        return replace(fold, training=replace(fold.test))
    if weighting == "events":
        turned = (fold.training.event == 0).to(torch.int64)
        return replace(fold, training=replace(fold.training, event=turned))
    return fold


def _values(claim: Claim, table: Table, cause: str, folds: list[_Fold]) -> Mapping[str, float]:
    """Return the metric by convention: where G is read, up to when, how folds are joined."""
    found: dict[str, float] = {}
    for weight in ("before", "at"):
        for until in _times(claim, table):
            results = [_metric(claim, table, cause, fold, weight, until) for fold in folds]
            known = [one.value for one in results if isinstance(one, Estimate)]
            sizes = [len(fold.rows) for fold in folds]
            if len(known) < len(results) or not all(map(math.isfinite, known)):
                continue
            name = f"G {weight}, up to {'the end' if until is None else f'{until:g}'}"
            found[f"{name}, mean over folds"] = fmean(known)
            found[f"{name}, mean over subjects"] = float(np.average(known, weights=sizes))
    return found


def _times(claim: Claim, table: Table) -> list[float | None]:
    if claim.time is not None:
        return [claim.time]
    curve = next((c for cause in table.causes if (c := table.curves(cause)) is not None), None)
    last = None if curve is None else float(curve[0][-1])
    if claim.kind != "uno":
        return [table.horizon if table.horizon is not None else last]
    return list(dict.fromkeys([None, table.horizon, last]))


def _metric(
    claim: Claim, table: Table, cause: str, fold: _Fold, weight: str, until: float | None
) -> Result | None:
    code = 1 + table.causes.index(cause)
    where: Literal["before", "at"] = "before" if weight == "before" else "at"
    if claim.kind == "uno":
        score = torch.from_numpy(table.risk[cause][fold.rows].copy())
        return uno_concordance(
            score, fold.test, fold.training, cause=code, tau=until, event_weight=where
        )
    curve = _clean(table.curves(cause), fold.rows)
    if curve is None:
        return None
    times, values = curve
    incidence = torch.from_numpy(values)
    if claim.kind == "integrated_brier":
        return integrated_brier_score_incidence(
            incidence, times.tolist(), fold.test, fold.training, cause=code, event_weight=where
        )
    nearest = int(np.argmin(np.abs(times - (times[-1] if until is None else until))))
    return brier_score_incidence(
        incidence[:, [nearest]],
        times[[nearest]].tolist(),
        fold.test,
        fold.training,
        cause=code,
        event_weight=where,
    )[0]


def _clean(curve: Curves | None, rows: NDArray[np.intp]) -> Curves | None:
    """Return the curves of rows, ``None`` where they are no probabilities."""
    if curve is None:
        return None
    times, values = curve[0], np.ascontiguousarray(curve[1][rows])
    fine = np.isfinite(values).all() and (values >= 0).all() and (values <= 1).all()
    return (times, values) if fine and len(times) > 1 and (times > 0).all() else None


def _shown(values: Mapping[str, Mapping[str, float]]) -> str:
    words = {
        "training": "with censoring of the training part",
        "test": "of the test part",
        "events": "with events in its place",
    }
    first = {name: next(iter(found.values()), math.nan) for name, found in values.items()}
    return ", ".join(f"{words[name]} {value:.4f}" for name, value in first.items())


RULE = Rule(
    name=NAME,
    asks="Were the weights for censoring fitted to events, or on the test part?",
    guard=(
        "silent where any usual convention on training subjects gives the reported number; a "
        "number that nothing gives is a note"
    ),
    source="Sybil utils/metrics.py, pillar-finetune #7; Graf et al. (1999); Uno et al. (2011)",
    check=_check,
)
