"""Probabilities that are none."""

from __future__ import annotations

import numpy as np

from survkit.auditing.evidence import Evidence
from survkit.auditing.finding import Answer, Finding, NotChecked, Rule, some
from survkit.auditing.table import Floats, Rows, Table

NAME = "impossible-curves"
ROUNDING = 1e-3
"""Tables are often written with three or four decimals."""


def _check(evidence: Evidence) -> Answer:
    table = evidence.table
    curves = dict(table.incidence)
    if table.survival is not None:
        curves["survival"] = table.survival
    if not curves:
        return NotChecked("the table has risk scores and no curves")
    findings = []
    for name, (times, values) in curves.items():
        falls = name == "survival"
        what = "survival" if falls else f"cumulative incidence of {name}"
        findings += _found(table, (~np.isfinite(values)).any(axis=1), f"{what} is missing")
        outside = ((values < -ROUNDING) | (values > 1 + ROUNDING)).any(axis=1)
        findings += _found(table, outside, f"{what} lies outside 0 to 1")
        steps = np.diff(np.where(np.isfinite(values), values, np.nan), axis=1)
        steps = steps if falls else -steps
        wrong = (steps > ROUNDING).any(axis=1)
        direction = "rises" if falls else "falls"
        findings += _found(table, wrong, f"{what} {direction} with time", _worst(steps, times))
    return findings + _sums(table)


def _sums(table: Table) -> list[Finding]:
    grids = [times for times, _ in table.incidence.values()]
    if not grids or any(len(g) != len(grids[0]) or (g != grids[0]).any() for g in grids[1:]):
        return []
    finite = [np.where(np.isfinite(v), v, np.nan) for _, v in table.incidence.values()]
    total = np.sum(finite, axis=0)
    if len(table.incidence) > 1:
        above = (total > 1 + ROUNDING).any(axis=1)
        found = _found(table, above, "the incidences of all causes sum to more than 1")
        if found:
            return found
    if table.survival is None or not np.array_equal(table.survival[0], grids[0]):
        return []
    gap = np.abs(total + table.survival[1] - 1)
    return _found(table, (gap > 5 * ROUNDING).any(axis=1), "survival and incidence do not sum to 1")


def _found(table: Table, wrong: Rows | np.bool_, what: str, more: str = "") -> list[Finding]:
    rows = np.flatnonzero(wrong)
    if not len(rows):
        return []
    return [
        Finding(
            rule=NAME,
            severity="error",
            message=f"{what} in {len(rows)} of {len(table)} rows",
            evidence=f"subjects {some(table.subject[rows])}{more}",
            cure="hand over probabilities of the model itself, neither logits nor sorted columns",
        )
    ]


def _worst(steps: Floats, times: Floats) -> str:
    if not np.isfinite(steps).any() or np.nanmax(steps) <= ROUNDING:
        return ""
    row, step = np.unravel_index(int(np.nanargmax(steps)), steps.shape)
    return f"; by {steps[row, step]:.3f} from {times[step]:g} to {times[step + 1]:g} in one row"


RULE = Rule(
    name=NAME,
    asks="Are survival and incidence curves probabilities that move one way and sum to one?",
    guard="0.001 of rounding is allowed",
    source="S of one cause used as 1 - incidence where causes compete: Gooley et al. (1999)",
    check=_check,
)
