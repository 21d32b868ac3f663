"""The Brier score of survival curves and of cumulative incidences, and its integral over time."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.brier_statistic import brier_statistic
from survkit.metrics.estimate import Result
from survkit.metrics.ipcw import EventWeight
from survkit.prediction import Times


def brier_score(
    survival: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    event_weight: EventWeight = "before",
) -> tuple[Result, ...]:
    """Weighted mean squared error of survival predictions at each time; lower is better.

    Without censoring it is the mean squared error. A constant 0.5 scores 0.25.

    Args:
        survival: Predicted P(duration > t); (batch, grid).
        times: Increasing; (grid).
        target: The evaluated subjects. An event of any cause ends survival.
        training: The subjects the censoring model is fitted to; never the test subjects of a fold.
        event_weight: ``"at"`` gives scikit-survival's numbers where events and censorings are tied.

    Returns:
        One Estimate per time, or Undefined beyond the training follow-up.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.

    Reference: Graf, Schmoor, Sauerbrei and Schumacher (1999).
    """
    statistic = brier_statistic(
        one_minus(survival), times, target, training, event_weight=event_weight
    )
    return replace(statistic, method=_at_times(statistic.method)).estimates()


def integrated_brier_score(
    survival: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    event_weight: EventWeight = "before",
) -> Result:
    """Average :func:`brier_score` over time, by the trapezoidal rule from the first to the last
    time.

    Raises:
        DataError: As there, or fewer than two times.
    """
    _need_two(times)
    return brier_statistic(
        one_minus(survival), times, target, training, event_weight=event_weight
    ).estimate()


def brier_score_incidence(
    incidence: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    event_weight: EventWeight = "before",
) -> tuple[Result, ...]:
    """Weighted mean squared error of the cumulative incidence of one cause at each time.

    Who had a competing event by t is known not to have had this one: its prediction is compared
    with 0.

    Args:
        incidence: Predicted P(event of the cause by t); (batch, grid).
        times: As in :func:`brier_score`.
        target: As there.
        training: As there.
        cause: The cause asked about.
        event_weight: As there.

    Raises:
        DataError: As there.

    Reference: Schoop, Beyersmann, Schumacher and Binder (2011).
    """
    statistic = brier_statistic(
        incidence, times, target, training, cause=cause, event_weight=event_weight
    )
    return replace(statistic, method=_at_times(statistic.method)).estimates()


def integrated_brier_score_incidence(
    incidence: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    event_weight: EventWeight = "before",
) -> Result:
    """Average :func:`brier_score_incidence` over time by the trapezoidal rule.

    Raises:
        DataError: As there, or fewer than two times.
    """
    _need_two(times)
    return brier_statistic(
        incidence, times, target, training, cause=cause, event_weight=event_weight
    ).estimate()


def one_minus(survival: Tensor) -> Tensor:
    """Return P(event by t) in float64, so that no digit of the survival is lost."""
    if not isinstance(survival, Tensor):
        raise DataError(f"survival must be a (batch, grid) tensor, not {type(survival).__name__}")
    if survival.is_complex():
        raise DataError(f"survival must hold real numbers, not {survival.dtype}")
    return 1 - survival.detach().to(torch.float64)


def _need_two(times: Times) -> None:
    if len(times) < 2:
        raise DataError("an integral over time needs two times at least; use brier_score for one")


def _at_times(method: str) -> str:
    return method.removeprefix("integrated ")
