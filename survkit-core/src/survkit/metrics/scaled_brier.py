"""The scaled Brier score: how much better than predicting the same curve for everybody."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics.brier import one_minus
from survkit.metrics.brier_statistic import BrierStatistic, brier_statistic
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.ipcw import EventWeight, weighted_errors
from survkit.nonparametric.incidence_replicates import incidence_replicates
from survkit.prediction import Times


def scaled_brier_score(
    survival: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    event_weight: EventWeight = "before",
) -> Result:
    """1 - Brier score / Brier score of the Kaplan–Meier curve; 1 is perfect, 0 no better than the
    curve, below 0 worse.

    With one time it is the score there; with several both scores are integrated over time before
    they are divided. The curve is that of the training subjects, as a prediction must be.

    Args:
        survival: Predicted P(duration > t); (batch, grid).
        times: Increasing; (grid).
        target: The evaluated subjects. An event of any cause ends survival.
        training: The subjects of the curve and of the censoring model.
        event_weight: See :func:`survkit.metrics.brier_score`.

    Returns:
        An Estimate, or Undefined where a score is or where the curve predicts without error.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.

    Reference: Graf, Schmoor, Sauerbrei and Schumacher (1999, R²); Kattan and Gerds (2018, index of
        prediction accuracy).
    """
    return scaled_brier_statistic(
        one_minus(survival), times, target, training, event_weight=event_weight
    ).estimate()


def scaled_brier_score_incidence(
    incidence: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int = 1,
    event_weight: EventWeight = "before",
) -> Result:
    """Scale :func:`survkit.metrics.brier_score_incidence` by that of the Aalen–Johansen curve of
    the training subjects.

    Args:
        incidence: Predicted P(event of the cause by t); (batch, grid).
        times: As in :func:`scaled_brier_score`.
        target: As there.
        training: As there.
        cause: The cause asked about.
        event_weight: As there.

    Raises:
        DataError: As there.

    Reference: Kattan and Gerds (2018).
    """
    return scaled_brier_statistic(
        incidence, times, target, training, cause=cause, event_weight=event_weight
    ).estimate()


def scaled_brier_statistic(
    incidence: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int | None = None,
    event_weight: EventWeight = "before",
) -> ScaledBrierStatistic:
    """Return a scaled Brier score as a statistic that can be resampled.

    Args:
        incidence: Predicted P(event by t); 1 - survival for events of any cause; (batch, grid).
        times: Increasing; (grid).
        target: The evaluated subjects.
        training: The subjects of the curve and of the censoring model.
        cause: The cause asked about, ``None`` for an event of any cause.
        event_weight: See :data:`survkit.metrics.ipcw.EventWeight`.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.
    """
    brier = brier_statistic(
        incidence, times, target, training, cause=cause, event_weight=event_weight
    )
    return ScaledBrierStatistic(brier, cause)


@dataclass(frozen=True, slots=True)
class ScaledBrierStatistic:
    """A scaled Brier score that can be evaluated on the data and on resampled data.

    Attributes:
        brier: The score that is scaled.
        cause: The cause asked about, ``None`` for an event of any cause.
    """

    brier: BrierStatistic
    cause: int | None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        return self.brier.sizes

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (-inf, 1.0)

    def estimate(self) -> Result:
        """Return the scaled score of the data."""
        score = self.brier.estimate()
        if isinstance(score, Undefined):
            return score
        once = (self.brier.errors.times.new_ones(1, size) for size in self.sizes)
        value = float(self.replicates(*once)[0])
        if value != value:
            reason = "the curve of the training subjects predicts without error: nothing to scale"
            return Undefined(reason, score.n, score.events)
        curve = "Kaplan–Meier" if self.cause is None else "Aalen–Johansen"
        method = (
            f"scaled {score.method} and {curve} curve of {len(self.brier.training.duration)} "
            "training subjects"
        )
        return Estimate(value, None, method, score.n, score.events)

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the scaled score for each row of draw counts; curve and censoring model are
        refitted in each.

        Args:
            counts: How often each evaluated subject was drawn and, where they are others, each
                training subject; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN where either score is unknown or the curve's is 0.
        """
        brier = self.brier
        curve = incidence_replicates(
            brier.training,
            counts[-1].to(brier.errors.times.device),
            self.cause,
            brier.errors.times,
        )
        # Outcomes are 0 or 1, so predicting p for everybody costs (1-p)² of the error of
        # predicting 0 and p² of that of predicting 1.
        none, all_of_them = (self._constant(value, counts) for value in (0.0, 1.0))
        of_curve = _average((1 - curve) ** 2 * none + curve**2 * all_of_them, brier.errors.times)
        return torch.where(of_curve > 0, 1 - brier.replicates(*counts) / of_curve, torch.nan)

    def _constant(self, value: float, counts: tuple[Tensor, ...]) -> Tensor:
        """Brier scores of one prediction for everybody; (replicate, grid)."""
        brier = self.brier
        errors = replace(brier.errors, incidence=torch.full_like(brier.errors.incidence, value))
        both = (counts[0], counts[-1])
        return weighted_errors(errors, brier.target, brier.training, both, brier.event_weight)


def _average(curves: Tensor, times: Tensor) -> Tensor:
    """Average over time by the trapezoidal rule, as the Brier score does; (replicate)."""
    if len(times) == 1:
        return curves[:, 0]
    return torch.trapezoid(curves, times) / (times[-1] - times[0])
