"""Tests of a cause: the log-rank test of its risk groups, and D-calibration.

Both look at the first repeat, in which every subject is seen once, and at the time until the
horizon: who is followed for longer counts as censored there, who enters after it as never seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.evaluation.observed_groups import first_repeat
from survkit.evaluation.part import NO_PROBABILITIES
from survkit.evaluation.predictions import Integers, Predictions
from survkit.evaluation.risk_groups import risk_groups
from survkit.flow import SurvivalTarget
from survkit.metrics.d_calibration import d_calibration
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.log_rank import log_rank


def group_tests(predictions: Predictions, *, cause: int) -> dict[str, dict[str, Any]]:
    """Return ``log_rank`` and ``d_calibration``, each a test or the reason why there is none."""
    table = first_repeat(predictions)
    seen = _seen(table)
    calibrated = _nobody(table) if not seen.any() else _d_calibration(table.select(seen))
    return {"log_rank": log_rank_of_groups(table, cause=cause), "d_calibration": calibrated}


def log_rank_of_groups(
    predictions: Predictions, *, cause: int, groups: int | None = None
) -> dict[str, Any]:
    """Return the log-rank test of the groups of predicted risk of one repeat, or the reason why
    there is none.

    Args:
        predictions: Of one repeat.
        cause: Event code, 1..K.
        groups: Their number; see :func:`survkit.evaluation.risk_groups.risk_groups`.
    """
    names, group = risk_groups(predictions, cause=cause, groups=groups)
    seen = _seen(predictions)
    if not seen.any():
        return _nobody(predictions)
    return _log_rank(predictions.select(seen), cause, names, group[seen])


def _seen(table: Predictions) -> NDArray[np.bool_]:
    """Return who had entered before the horizon; bool (row)."""
    if table.entry is None:
        return np.ones(len(table), dtype=bool)
    return table.entry < table.horizon


def _nobody(table: Predictions) -> dict[str, Any]:
    reason = f"everybody entered after the horizon {table.horizon:g}"
    return Undefined(reason, len(table), 0).to_json()


def _log_rank(
    table: Predictions, cause: int, names: tuple[str, ...], group: Integers
) -> dict[str, Any]:
    """Test whether the risk groups have the same cause-specific hazard."""
    target = _until_horizon(table)
    if target.weight is not None:
        return _undefined(target, cause, "a log-rank test has no variance for weighted subjects")
    found = log_rank(target, torch.from_numpy(group), cause=cause)
    if isinstance(found, Undefined):
        return found.to_json()
    kind = "cause-specific " if len(table.causes) > 1 else ""
    competing = ", other causes leave as if censored; not Gray's test" if kind else ""
    return {
        "statistic": found.statistic,
        "degrees_of_freedom": found.degrees_of_freedom,
        "p_value": found.p_value,
        "method": f"{kind}{found.method} of the groups of predicted risk, events by "
        f"{table.horizon:g}{competing}",
        "n": found.n,
        "events": found.events,
        "groups": [
            {"name": names[one.code], "n": one.n, "observed": one.observed}
            | {"expected": one.expected}
            for one in found.groups
        ],
    }


def _d_calibration(table: Predictions) -> dict[str, Any]:
    """Test whether the survival probabilities at the subjects' own durations are uniform.

    With competing causes it is the probability of being free of all of them.
    """
    target = _until_horizon(table)
    events = int((target.event > 0).sum())
    any_event = replace(target, event=(target.event > 0).to(torch.int64))
    if table.cumulative_incidence is None:
        return Undefined(NO_PROBABILITIES, len(table), events).to_json()
    if target.entry is not None:
        return _undefined(any_event, 1, "D-calibration cannot use subjects who entered late")
    if target.weight is not None:
        return _undefined(any_event, 1, "D-calibration is a test of unweighted counts")
    survival = 1 - torch.from_numpy(table.incidence_of_own(target.duration.numpy()).sum(axis=1))
    found = d_calibration(survival, any_event)
    if isinstance(found, Undefined):
        return found.to_json()
    kind = ", of being free of all causes" if len(table.causes) > 1 else ""
    return {
        "statistic": found.statistic,
        "degrees_of_freedom": found.degrees_of_freedom,
        "p_value": found.p_value,
        "method": f"{found.method}{kind}; censored at {table.horizon:g}",
        "n": found.n,
        "events": found.events,
        "bins": list(found.share),
    }


def _until_horizon(table: Predictions) -> SurvivalTarget:
    target = table.target()
    later = target.duration > table.horizon
    return replace(
        target,
        duration=target.duration.clamp(max=table.horizon),
        event=target.event.masked_fill(later, 0),
    )


def _undefined(target: SurvivalTarget, cause: int, reason: str) -> dict[str, Any]:
    return Undefined(reason, len(target.duration), int((target.event == cause).sum())).to_json()
