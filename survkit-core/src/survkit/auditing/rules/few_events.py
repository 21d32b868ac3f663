"""Too few events to learn from, or to be sure of anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, Rule, Severity

NAME = "few-events"
TOTAL, PER_FOLD, PER_COLUMN = 100, 10, 10
LOW_DIMENSIONAL = 50


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    rows = np.flatnonzero(table.usable & table.reported)
    names = table.subject if table.group is None else table.group  # a patient dies once
    events = {names[row] for row in rows if table.event[row] > 0}
    subjects = len(set(names[rows]))
    whose = "subjects" if table.group is None else "groups"
    findings = []
    if len(events) < TOTAL:
        findings.append(
            Finding(
                rule=NAME,
                severity="warning",
                message=f"{len(events)} events are too few for a precise estimate",
                evidence=f"{len(events)} events in {subjects} {whose}; {TOTAL} are the usual "
                "minimum (Vergouwe et al. 2005; Collins, Ogundimu and Altman 2016)",
                cure="report intervals, add subjects, and call the study exploratory",
            )
        )
    return [*findings, *_thin(evidence), *_per_column(evidence, len(events))]


def _thin(evidence: Evidence) -> Iterator[Finding]:
    table = evidence.table
    keys = list(dict.fromkeys(zip(table.repeat, table.fold, strict=True)))
    found = {}
    for key in keys:
        rows = table.reported & table.usable & (table.repeat == key[0]) & (table.fold == key[1])
        if rows.any():
            found[key] = int((table.event[rows] > 0).sum())
    low = {key: count for key, count in found.items() if count < PER_FOLD}
    if low and len(found) > 1:
        worst = min(low, key=lambda key: low[key])
        yield Finding(
            rule=NAME,
            severity="warning",
            message=f"{len(low)} of {len(found)} test folds have fewer than {PER_FOLD} events",
            evidence=f"repeat {worst[0]}, fold {worst[1]} has {low[worst]}",
            cure="use fewer folds or pool the pairs of all folds; never average such folds",
        )


def _per_column(evidence: Evidence, events: int) -> Iterator[Finding]:
    """Events per candidate column, which only means something for low-dimensional models."""
    columns, severity = _columns(evidence)
    if not columns or columns > LOW_DIMENSIONAL or events >= PER_COLUMN * columns:
        return
    yield Finding(
        rule=NAME,
        severity=severity,
        message=f"{events / columns:.1f} events per candidate column",
        evidence=f"{events} events, {columns} columns; {PER_COLUMN} per column are the rule of "
        "thumb for models without penalty (Peduzzi et al. 1995), more by Riley et al. (2020)",
        cure="use a penalty, or fewer columns chosen without looking at the outcome",
    )


def _columns(evidence: Evidence) -> tuple[int, Severity]:
    """Count columns, and say whether the model is known to be linear without penalty."""
    run = evidence.run
    if run is not None:
        linear = bool(run.folds) and _is_linear(run.recipe)
        inputs = run.folds[0].config.get("inputs", {}) if linear else {}
        return sum(len(one["columns"]) for one in inputs.values()), "warning"
    if evidence.features is not None:
        return len(evidence.features.names), "note"
    return 0, "note"


def _is_linear(recipe: Mapping[str, Any]) -> bool:
    encoders = recipe.get("encoders") or {}
    optimizer = (recipe.get("training") or {}).get("optimizer") or {}
    plain = all(one.get("use") == "tabular" and not one.get("hidden") for one in encoders.values())
    head = recipe.get("head") or {}
    return bool(encoders) and plain and not head.get("hidden") and not optimizer.get("weight_decay")


RULE = Rule(
    name=NAME,
    asks="Are there enough events to learn from and to be sure of the result?",
    guard=(
        "events per trained parameter mean nothing for deep networks; columns are counted only "
        "for linear models without penalty (a note for foreign tables)"
    ),
    source="Vergouwe et al. (2005), Collins et al. (2016), Peduzzi et al. (1995), "
    "Riley et al. (2020)",
    check=_check,
)
