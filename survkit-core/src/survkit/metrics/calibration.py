"""Calibration at one horizon: what was predicted against what happened, group by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.antolini import check_incidence
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined
from survkit.metrics.jackknife import jackknife_interval
from survkit.metrics.observed_expected import observed_expected_statistic
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.observations import check_target, check_vector


@dataclass(frozen=True, slots=True)
class CalibrationGroup:
    """Subjects with similar predictions.

    Attributes:
        predicted: Mean predicted probability of the event by the horizon.
        observed: Aalen–Johansen estimate of the same (1 - Kaplan–Meier where there is one cause).
        lowest: Lowest prediction in the group.
        highest: Highest prediction in the group.
    """

    predicted: float
    observed: Result
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Calibration at a horizon.

    Attributes:
        horizon: The time point.
        cause: The cause asked about.
        groups: In order of the predictions; fewer than asked where predictions are tied.
        observed_expected: Observed over mean predicted probability in everybody; 1 is calibrated,
            above 1 the model predicts too few events. Its interval is the infinitesimal
            jackknife's on the logarithm, in which a subject moves both terms; of simulated cohorts
            of 300 it held the truth in 95 %, where one that takes the predictions as given is too
            wide (97.5 %).
    """

    horizon: float
    cause: int
    groups: tuple[CalibrationGroup, ...]
    observed_expected: Result

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {
            "horizon": self.horizon,
            "cause": self.cause,
            "groups": [
                {
                    "predicted": group.predicted,
                    "observed": group.observed.to_json(),
                    "lowest": group.lowest,
                    "highest": group.highest,
                }
                for group in self.groups
            ],
            "observed_expected": self.observed_expected.to_json(),
        }


def calibration_at(
    horizon: float,
    predicted: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    groups: int = 10,
    level: float = 0.95,
) -> Calibration:
    """Compare predicted with observed probabilities of the event by the horizon.

    Args:
        horizon: The time point.
        predicted: P(event of the cause by the horizon); (batch).
        target: What was observed; delayed entry and weights are honoured.
        cause: The cause asked about; other causes compete.
        groups: Number of groups of equal size (weight) by prediction; equal predictions stay
            together.
        level: Coverage of the intervals.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: van Houwelingen (2000); Austin and Steyerberg (2020).
    """
    checked = check_target(target)
    size = len(checked.duration)
    values = check_vector("predicted", predicted, size)
    check_incidence(values[:, None], size)
    if groups < 1 or not horizon > 0 or cause < 1:
        raise DataError(
            "calibration needs a positive horizon, a cause from 1 and one group at least, "
            f"not horizon={horizon}, cause={cause}, groups={groups}"
        )
    number = _group_of(values, checked.weight, groups)
    return Calibration(
        horizon=horizon,
        cause=cause,
        groups=tuple(
            _group(values[number == one], select(checked, number == one), (horizon, cause, level))
            for one in torch.unique(number)
        ),
        observed_expected=jackknife_interval(
            observed_expected_statistic(horizon, values, checked, cause=cause), level=level
        ),
    )


def observed_incidence(
    target: SurvivalTarget, horizon: float, cause: int, level: float = 0.95
) -> Result:
    """Aalen–Johansen estimate of P(event of the cause by the horizon), or why it is unknown."""
    size, events = (
        len(target.duration),
        int(((target.event == cause) & (target.duration <= horizon)).sum()),
    )
    curves = aalen_johansen(
        target.duration,
        target.event,
        max(cause, int(target.event.max())),
        entry=target.entry,
        weight=target.weight,
        level=level,
    )
    if horizon > curves.last_time and float(curves.survival[-1]) > 0:
        return Undefined(
            f"follow-up ends at {curves.last_time:g}, before the horizon {horizon:g}", size, events
        )
    value = float(curves.at([horizon])[cause - 1, 0])
    lower, upper = (float(bound[cause - 1, 0]) for bound in curves.bounds_at([horizon]))
    interval = Interval(lower, upper, level) if 0 < lower <= upper < 1 else None
    return Estimate(value, interval, "Aalen–Johansen, log(-log) interval", size, events)


def _group_of(values: Tensor, weight: Tensor | None, groups: int) -> Tensor:
    """Number of each subject's group: quantiles of the predictions, ties in the lower group."""
    ascending, order = torch.sort(values)
    share = torch.ones_like(ascending) if weight is None else weight[order]
    before = torch.cat([share.new_zeros(1), share.cumsum(0)])
    first = torch.searchsorted(ascending, values)  # ties share the first rank
    return (before[first] * groups / before[-1]).floor().to(torch.int64)


def _group(
    values: Tensor, target: SurvivalTarget, question: tuple[float, int, float]
) -> CalibrationGroup:
    return CalibrationGroup(
        predicted=float(_mean(values, target.weight)),
        observed=observed_incidence(target, *question),
        lowest=float(values.min()),
        highest=float(values.max()),
    )


def _mean(values: Tensor, weight: Tensor | None) -> Tensor:
    return values.mean() if weight is None else (values * weight).sum() / weight.sum()
