"""What was observed by the horizon in groups of subjects: risk groups and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from survkit.evaluation.predictions import Predictions
from survkit.evaluation.risk_groups import risk_groups
from survkit.metrics.calibration import calibration_at, observed_incidence

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
        {"name": name}
        | observed_incidence(table.target(group == number), table.horizon, cause, level).to_json()
        for number, name in enumerate(names)
        if (group == number).any()
    )


def calibration_groups(
    predictions: Predictions, *, cause: int, level: float
) -> tuple[dict[str, Any], ...]:
    """Return mean predicted and observed incidence at the horizon by quantile of the prediction;
    none where there are no predicted probabilities.

    Predicted probabilities of different folds share a scale, so groups are cut over all folds.
    """
    table = first_repeat(predictions)
    if table.cumulative_incidence is None:
        return ()
    found = calibration_at(
        table.horizon,
        torch.from_numpy(table.cumulative_incidence[:, cause - 1, -1].copy()),
        table.target(),
        cause=cause,
        groups=int(np.clip(len(table) // SUBJECTS_PER_GROUP, 1, MOST_GROUPS)),
        level=level,
    )
    groups: list[dict[str, Any]] = found.to_json()["groups"]
    return tuple(groups)
