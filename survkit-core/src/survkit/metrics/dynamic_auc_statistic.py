"""The dynamic AUC as an object that can be resampled.

In the order of the controls' scores, those below a case are a prefix, so that one cumulative sum
per time and replicate gives the credits of all cases; half of a tie lies between the prefix that
stops before it and the one that ends with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan
from typing import Literal

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics.censoring_weights import (
    censoring_survival_at,
    describe_weights,
    unknown_weight,
)
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.ipcw import EventWeight
from survkit.nonparametric.incidence_replicates import incidence_replicates
from survkit.nonparametric.ordering import ascending_order
from survkit.nonparametric.ratio import ratio_where

Controls = Literal["event-free", "cause-free"]
"""Who cases are compared with: subjects without any event by t, or also those who had a competing
event by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicAucStatistic:
    """Cumulative/dynamic AUC at one time, or its mean over times.

    Attributes:
        scores: Higher means an earlier event; float64 (batch, 1) or (batch, grid).
        times: Increasing; float64 (grid).
        target: The evaluated subjects, checked.
        training: The subjects of the censoring model, checked.
        same_subjects: The evaluated subjects are the training subjects, so they are resampled
            together.
        cause: The cause asked about.
        controls: Who cases are compared with.
        event_weight: Where the censoring survival is read for an event.
    """

    scores: Tensor
    times: Tensor
    target: SurvivalTarget
    training: SurvivalTarget
    same_subjects: bool
    cause: int
    controls: Controls
    event_weight: EventWeight

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        both = (len(self.target.duration), len(self.training.duration))
        return both[:1] if self.same_subjects else both

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, 1.0)

    def estimates(self) -> tuple[Result, ...]:
        """Return the AUC at each time."""
        curve, survival = self._curves(*self._once())[0], self._once_survival()
        return tuple(
            self._result(value, time, survival, f"cumulative/dynamic AUC at {time:g}")
            for value, time in zip(curve.tolist(), self.times.tolist(), strict=True)
        )

    def estimate(self) -> Result:
        """Return the AUC at the one time, else its weighted mean."""
        if len(self.times) == 1:
            return self.estimates()[0]
        curves, survival = self._curves(*self._once()), self._once_survival()
        unknown = curves[0].isnan().nonzero()[:, 0]
        if len(unknown):
            return self._result(float("nan"), float(self.times[unknown[0]]), survival, "")
        value, last = float(self._mean(curves, self._once()[0])[0]), float(self.times[-1])
        name = f"mean cumulative/dynamic AUC of {len(self.times)} times until {last:g}"
        return self._result(value, last, survival, f"{name}, weighted by incidence")

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the AUC for each row of draw counts; the censoring model is refitted in each.

        Args:
            counts: How often each evaluated subject was drawn and, where they are others, each
                training subject; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN without a case, a control or a weight at one of the times.
        """
        curves = self._curves(*counts)
        if len(self.times) == 1:
            return curves[:, 0]
        return self._mean(curves, counts[0].to(curves.device))

    def _once(self) -> tuple[Tensor, ...]:
        return tuple(self.times.new_ones(1, size) for size in self.sizes)

    def _once_survival(self) -> Tensor:
        """G of everybody's duration in the data; (batch)."""
        return self._survival(self._once()[-1])[0]

    def _survival(self, drawn: Tensor) -> Tensor:
        duration = self.target.duration
        return censoring_survival_at(self.training, drawn, duration, self.event_weight)

    def _mean(self, curves: Tensor, drawn: Tensor) -> Tensor:
        incidence = incidence_replicates(self.target, drawn, self.cause, self.times)
        share = torch.diff(incidence, dim=1, prepend=torch.zeros_like(incidence[:, :1]))
        return (curves * share).sum(dim=1) / incidence[:, -1]

    def _curves(self, *counts: Tensor) -> Tensor:
        """AUC; (replicate, grid), NaN where it is undefined."""
        won, total = self.replicate_sums(*counts)
        return torch.where(total == 0, torch.nan, won / torch.where(total == 0, 1.0, total))

    def replicate_sums(self, *counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return the weight of the pairs that the case wins, ties by half, and of all pairs.

        The sums of several parts can be added. NaN where a case has no weight.

        Args:
            counts: As for :meth:`replicates`.

        Returns:
            float64 (replicate, grid) each.
        """
        target = self.target
        weight = counts[0].to(self.times.device, torch.float64)
        if target.weight is not None:
            weight = weight * target.weight
        happened = (target.event > 0) & (weight > 0)
        survival = self._survival(counts[-1])
        inverse = ratio_where(happened & (survival > 0), weight, survival)
        inverse = torch.where(happened & ~(survival > 0), torch.nan, inverse)
        time_survival = censoring_survival_at(self.training, counts[-1], self.times, "at")
        people = _People(target.duration, target.event == self.cause, weight, inverse)
        sums = [
            people.pairs(
                self.scores[:, place if self.scores.shape[1] > 1 else 0],
                float(time),
                self._others(time_survival[:, place, None]),
            )
            for place, time in enumerate(self.times)
        ]
        won, total = zip(*sums, strict=True)
        return torch.stack(won, dim=1), torch.stack(total, dim=1)

    def _others(self, survival: Tensor) -> Tensor | None:
        """G(t), where controls who had a competing event are weighed against the others."""
        if self.controls == "event-free":
            return None  # all controls weigh the same, so G(t) cancels
        return torch.where(survival > 0, survival, torch.nan)

    def _result(self, value: float, time: float, survival: Tensor, name: str) -> Result:
        target = self.target
        by_time = target.duration <= time
        cases = by_time & (target.event == self.cause)
        size, events = len(target.duration), int(cases.sum())
        if isnan(value):
            return Undefined(self._reason(time, events, by_time), size, events)
        method = f"{name}, cause {self.cause}, {self.controls} controls"
        method = f"{method}; {describe_weights(self.training, 1 / survival[cases])}"
        return Estimate(value, None, method, size, events)

    def _reason(self, time: float, cases: int, by_time: Tensor) -> str:
        others = by_time & (self.target.event > 0) & (self.target.event != self.cause)
        controls = int((~by_time).sum())
        if self.controls == "cause-free":
            controls += int(others.sum())
        if cases == 0:
            return f"nobody has the event by {time:g}, so there is no case"
        if controls == 0:
            return f"nobody is known to be without the event after {time:g}: there is no control"
        return unknown_weight(self.training, time, "ask for an earlier time")


@dataclass(frozen=True, slots=True)
class _People:
    """The evaluated subjects.

    Attributes:
        duration: float64 (batch).
        own: Had the event of the cause; bool (batch).
        weight: How often each counts; float64 (replicate, batch).
        inverse: The same / G(duration) of who had an event, else 0; float64 (replicate, batch).
    """

    duration: Tensor
    own: Tensor
    weight: Tensor
    inverse: Tensor

    def pairs(self, score: Tensor, time: float, others: Tensor | None) -> tuple[Tensor, Tensor]:
        """Weight of the pairs won by the case and of all; (replicate) each.

        In the order of their scores the controls below a case are a prefix.

        Args:
            score: float64 (batch).
            time: Cases had the event by then.
            others: G(t) (replicate, 1) where competing events are controls too.
        """
        by_time = self.duration <= time
        rows, cases = (~by_time).nonzero()[:, 0], (by_time & self.own).nonzero()[:, 0]
        controls = self.weight.index_select(1, rows)
        if others is not None:
            competing = (by_time & ~self.own).nonzero()[:, 0]
            both = (controls / others, self.inverse.index_select(1, competing))
            controls, rows = torch.cat(both, dim=1), torch.cat([rows, competing])
        ascending, order = ascending_order(score.index_select(0, rows))
        below = controls.index_select(1, order).cumsum(1)
        below = torch.cat([torch.zeros_like(self.weight[:, :1]), below], dim=1)
        own = score.index_select(0, cases)
        first = torch.searchsorted(ascending, own)
        after = torch.searchsorted(ascending, own, right=True)
        weight = self.inverse.index_select(1, cases)
        credit = below.index_select(1, first) + below.index_select(1, after)
        return (weight * credit).sum(dim=1) / 2, weight.sum(dim=1) * below[:, -1]
