"""What was observed by the horizon in groups of subjects: risk groups and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.evaluation.predictions import Predictions
from survkit.evaluation.risk_groups import risk_groups
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined
from survkit.nonparametric.aalen_johansen import aalen_johansen

SUBJECTS_PER_GROUP = 25
MOST_GROUPS = 5


def first_repeat(predictions: Predictions) -> Predictions:
    """Return the first repeat, in which every subject is seen once; curves and groups use it."""
    return predictions.select(predictions.repeat == predictions.repeats[0])


def observed_by_risk_group(
    predictions: Predictions, *, cause: int, level: float
) -> tuple[dict[str, Any], ...]:
    """Return name, observed incidence at the horizon, subjects and events of each risk group."""
    table = first_repeat(predictions)
    names, group = risk_groups(table, cause=cause)
    return tuple(
        {"name": name} | _observed(table, group == number, cause, level).to_json()
        for number, name in enumerate(names)
        if (group == number).any()
    )


def calibration_groups(
    predictions: Predictions, *, cause: int, level: float
) -> tuple[dict[str, Any], ...]:
    """Return mean predicted and observed incidence at the horizon by quantile of the prediction.

    Predicted probabilities of different folds share a scale, so groups are cut over all folds.
    """
    table = first_repeat(predictions)
    predicted = table.cumulative_incidence[:, cause - 1, -1]
    groups = int(np.clip(len(table) // SUBJECTS_PER_GROUP, 1, MOST_GROUPS))
    cuts = np.unique(np.quantile(predicted, np.arange(1, groups) / groups))
    group = np.searchsorted(cuts, predicted, side="left")
    found = []
    for number in np.unique(group):
        rows = group == number
        observed = _observed(table, rows, cause, level)
        weight = None if table.weight is None else table.weight[rows]
        mean = float(np.average(predicted[rows], weights=weight))
        found.append({"predicted": mean, "observed": observed.to_json()})
    return tuple(found)


def _observed(table: Predictions, rows: NDArray[np.bool_], cause: int, level: float) -> Result:
    """Aalen–Johansen incidence at the horizon; 1 minus Kaplan–Meier with one cause."""
    target = table.target(rows)
    own = (target.event == cause) & (target.duration <= table.horizon)
    n, events = len(target.duration), int(own.sum())
    curve = aalen_johansen(
        target.duration,
        target.event,
        len(table.causes),
        entry=target.entry,
        weight=target.weight,
        level=level,
    )
    at = torch.tensor([table.horizon], dtype=torch.float64)
    if curve.last_time < table.horizon and float(curve.survival[-1]) > 0:
        last = f"{curve.last_time:g}"
        return Undefined(f"nobody was followed up to the horizon, the last until {last}", n, events)
    value = float(curve.at(at)[cause - 1, 0])
    lower, upper = (float(bound[cause - 1, 0]) for bound in curve.bounds_at(at))
    known = np.isfinite([lower, upper]).all() and events > 0
    interval = Interval(lower, upper, level) if known else None
    estimator = "Aalen–Johansen" if len(table.causes) > 1 else "1 minus Kaplan–Meier"
    return Estimate(value, interval, f"{estimator}, log(-log) interval", n, events)
