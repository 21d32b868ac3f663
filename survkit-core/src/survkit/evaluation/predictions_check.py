"""Refuse a predictions table that cannot be one, in a sentence that names the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError

if TYPE_CHECKING:
    from survkit.evaluation.predictions import Predictions

ROUNDING = 1e-6
"""How far a probability may leave its bounds: what float32 leaves of a sum of softmax outputs."""

_OPTIONAL = ("entry", "weight", "site", "strata", "group", "cumulative_incidence")
_KINDS = {"U": "text", "f": "float64", "i": "int64"}


def check_predictions(table: Predictions) -> None:
    """Refuse wrong shapes and types, impossible outcomes and impossible probabilities.

    Raises:
        DataError: With the first row that is wrong, and how many are.
    """
    _check_static(table)
    _check_columns(table)
    _check_subjects(table)
    _check_outcome(table)
    _check_incidence(table)


def _check_static(table: Predictions) -> None:
    grid = table.time_grid
    if not table.causes or len(set(table.causes)) != len(table.causes):
        raise DataError(
            f"predictions need one or more different names of causes, not {table.causes}"
        )
    if grid.dtype != np.float64 or grid.ndim != 1 or not len(grid):
        raise DataError(
            f"the time grid must be a float64 vector, not {grid.dtype} of shape {grid.shape}"
        )
    if not (np.isfinite(grid).all() and grid[0] > 0 and (np.diff(grid) > 0).all()):
        raise DataError(f"the time grid must be positive and increasing, not {grid.tolist()}")
    if grid[-1] != table.horizon:
        raise DataError(
            f"the time grid must end at the horizon {table.horizon:g}, not at {grid[-1]:g}"
        )


def _check_columns(table: Predictions) -> None:
    rows, causes = len(table.subject), len(table.causes)
    if not rows:
        raise DataError("a predictions table needs at least one subject")
    expected: dict[str, tuple[str, tuple[int, ...]]] = {
        "subject": ("U", (rows,)),
        "repeat": ("i", (rows,)),
        "fold": ("i", (rows,)),
        "duration": ("f", (rows,)),
        "event": ("i", (rows,)),
        "entry": ("f", (rows,)),
        "weight": ("f", (rows,)),
        "site": ("U", (rows,)),
        "strata": ("i", (rows,)),
        "group": ("U", (rows,)),
        "risk_score": ("f", (rows, causes)),
        "cumulative_incidence": ("f", (rows, causes, len(table.time_grid))),
    }
    for name, (kind, shape) in expected.items():
        values = getattr(table, name)
        if values is None and name in _OPTIONAL:
            continue
        if values.dtype.kind != kind or (kind != "U" and values.dtype.itemsize != 8):
            raise DataError(f"{name} must be {_KINDS[kind]}, not {values.dtype}; convert it before")
        if values.shape != shape:
            raise DataError(f"{name} must have the shape {shape}, not {values.shape}")
        if kind == "f":
            _refuse(table, ~np.isfinite(values), f"{name} must be a finite number", values)


def _check_subjects(table: Predictions) -> None:
    _refuse(table, table.subject == "", "a subject needs a name", table.subject)
    for name in ("repeat", "fold"):
        values = getattr(table, name)
        _refuse(table, values < 0, f"{name} counts from 0", values)
    order = np.lexsort((table.subject, table.repeat))
    subject, repeat = table.subject[order], table.repeat[order]
    twin = np.flatnonzero((subject[1:] == subject[:-1]) & (repeat[1:] == repeat[:-1]))
    if len(twin):
        raise DataError(
            f"a subject may appear once in a repeat, but {subject[twin[0]]} appears again in "
            "repeat "
            f"{repeat[twin[0]]} ({len(twin)} such rows); predict each subject by the fold that "
            "held it out"
        )
    by_subject = np.argsort(table.subject, kind="stable")
    same = table.subject[by_subject][1:] == table.subject[by_subject][:-1]
    for name in ("duration", "event", "entry", "weight", "site", "strata", "group"):
        values = getattr(table, name)
        if values is None:
            continue
        differs = np.zeros(len(table), dtype=bool)
        differs[by_subject[1:]] = same & (values[by_subject][1:] != values[by_subject][:-1])
        _refuse(table, differs, f"{name} of a subject must be the same in every repeat", values)


def _check_outcome(table: Predictions) -> None:
    _refuse(table, table.duration <= 0, "duration must be > 0", table.duration)
    causes = len(table.causes)
    wrong = (table.event < 0) | (table.event > causes)
    _refuse(table, wrong, f"event codes must be 0 (censored) to {causes}", table.event)
    if table.entry is not None:
        late = (table.entry < 0) | (table.entry >= table.duration)
        _refuse(table, late, "entry must be >= 0 and before the duration", table.entry)
    if table.weight is not None:
        _refuse(table, table.weight <= 0, "weight must be > 0", table.weight)


def _check_incidence(table: Predictions) -> None:
    values = table.cumulative_incidence
    if values is None:
        return
    outside = (values < -ROUNDING) | (values > 1 + ROUNDING)
    _refuse(table, outside, "cumulative incidence must lie between 0 and 1", values)
    steps = np.diff(values, axis=2)
    _refuse(
        table,
        steps < -ROUNDING,
        "cumulative incidence must never decrease with time: its step",
        steps,
    )
    total = values.sum(axis=1)
    _refuse(
        table,
        total > 1 + ROUNDING,
        "cumulative incidences of all causes must sum to at most 1",
        total,
    )


def _refuse(
    table: Predictions, wrong: NDArray[np.bool_], expected: str, values: NDArray[Any]
) -> None:
    rows = wrong.reshape(len(wrong), -1)
    if not rows.any():
        return
    row = int(np.flatnonzero(rows.any(axis=1))[0])
    value = values[row].reshape(-1)[rows[row]][0]
    shown = f"{value:g}" if isinstance(value, float) else repr(str(value))
    raise DataError(
        f"{expected}, but row {row} (subject {table.subject[row]}) has {shown} "
        f"({int(rows.any(axis=1).sum())} such rows)"
    )
