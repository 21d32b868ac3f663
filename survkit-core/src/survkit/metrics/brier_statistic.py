"""The Brier score and its integral over time as an object that can be resampled."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.ipcw import (
    EventWeight,
    SquaredErrors,
    check_training,
    squared_errors,
    weighted_errors,
)
from survkit.nonparametric.observations import check_target
from survkit.prediction import Times


@dataclass(frozen=True, slots=True, kw_only=True)
class BrierStatistic:
    """A Brier score at one time, or integrated, that can be evaluated on resampled data.

    Attributes:
        errors: Squared errors of the predictions.
        target: The evaluated subjects, checked.
        training: The subjects of the censoring model, checked.
        same_subjects: The evaluated subjects are the training subjects, so they are resampled
            together.
        events: Events of the cause asked about.
        event_weight: Where the censoring survival is read for an event.
        method: What is computed, in words.
    """

    errors: SquaredErrors
    target: SurvivalTarget
    training: SurvivalTarget
    same_subjects: bool
    events: int
    event_weight: EventWeight
    method: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        evaluated = len(self.target.duration)
        return (evaluated,) if self.same_subjects else (evaluated, len(self.training.duration))

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, 1.0)

    def curve(self) -> Tensor:
        """Return the score at every time; float64 (grid), NaN where it is undefined."""
        return self._curves(*(self.errors.times.new_ones(1, size) for size in self.sizes))[0]

    def estimates(self) -> tuple[Result, ...]:
        """Return the score at each time."""
        return tuple(
            self._result(value, time)
            for value, time in zip(self.curve().tolist(), self.errors.times.tolist(), strict=True)
        )

    def estimate(self) -> Result:
        """Return the score of the data: at the one time, else integrated."""
        return self._result(float(self._reduce(self.curve())), float(self.errors.times[-1]))

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the score for each row of draw counts; the censoring model is refitted in each.

        Args:
            counts: How often each evaluated subject was drawn and, where they are others, each
                training subject; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN where a replicate's training follow-up is too short.
        """
        return self._reduce(self._curves(*counts))

    def _curves(self, *counts: Tensor) -> Tensor:
        both = (counts[0], counts[-1])
        return weighted_errors(self.errors, self.target, self.training, both, self.event_weight)

    def _reduce(self, curves: Tensor) -> Tensor:
        """Trapezoid over time divided by its length; one time is left as it is."""
        times = self.errors.times
        if len(times) == 1:
            return curves[..., 0]
        return torch.trapezoid(curves, times) / (times[-1] - times[0])

    def _result(self, value: float, time: float) -> Result:
        size = len(self.target.duration)
        if not isnan(value):
            return Estimate(value, None, self.method, size, self.events)
        last = float(self.training.duration.max())
        reason = f"every training subject still followed is censored by {time:g}: no weight exists"
        if time > last:
            reason = (
                f"time {time:g} lies beyond the training follow-up, which ends at {last:g}: "
                "nothing is known about censoring there"
            )
        return Undefined(reason, size, self.events)


def brier_statistic(
    incidence: Tensor,
    times: Times,
    target: SurvivalTarget,
    training: SurvivalTarget,
    *,
    cause: int | None = None,
    event_weight: EventWeight = "before",
) -> BrierStatistic:
    """Return a Brier score as a statistic that can be resampled.

    With one time it is the score there, with several it is integrated over them. Where
    ``training`` is the very object ``target``, subjects are resampled once for both.

    Args:
        incidence: Predicted P(event by t); 1 - survival for events of any cause; (batch, grid).
        times: Increasing; (grid).
        target: The evaluated subjects.
        training: The subjects of the censoring model.
        cause: The cause asked about, ``None`` for an event of any cause.
        event_weight: See :data:`survkit.metrics.ipcw.EventWeight`.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.
    """
    if event_weight not in ("before", "at"):
        raise DataError(f'event_weight must be "before" or "at", not {event_weight!r}')
    if cause is not None and (isinstance(cause, bool) or not isinstance(cause, int) or cause < 1):
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    checked = check_target(target)
    own = checked.event > 0 if cause is None else checked.event == cause
    errors = squared_errors(incidence, times, checked, cause)
    what = "Brier score" if len(errors.times) == 1 else "integrated Brier score"
    asked = "survival" if cause is None else f"cause {cause}"
    return BrierStatistic(
        errors=errors,
        target=checked,
        training=checked if training is target else check_training(training),
        same_subjects=training is target,
        events=int(own.sum()),
        event_weight=event_weight,
        method=f"{what}, {asked}, inverse probability of censoring weights",
    )
