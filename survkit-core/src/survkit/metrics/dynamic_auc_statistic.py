"""The dynamic AUC as an object that can be resampled.

In the order of the scores, the controls below a case are a prefix, so that one cumulative sum per
time and replicate gives the credits of all cases; half of a tie lies between the prefix that stops
before it and the one that ends with it.
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
from survkit.nonparametric.ordering import ascending_order, tie_bounds

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

    def estimates(self) -> tuple[Result, ...]:
        """Return the AUC at each time."""
        curve = self._curves(*self._once())[0]
        return tuple(
            self._result(value, time, f"cumulative/dynamic AUC at {time:g}")
            for value, time in zip(curve.tolist(), self.times.tolist(), strict=True)
        )

    def estimate(self) -> Result:
        """Return the AUC at the one time, else its weighted mean."""
        if len(self.times) == 1:
            return self.estimates()[0]
        estimates = self.estimates()
        for one in estimates:
            if isinstance(one, Undefined):
                return one
        value = float(self.replicates(*self._once())[0])
        last = float(self.times[-1])
        name = f"mean cumulative/dynamic AUC of {len(self.times)} times until {last:g}"
        return self._result(value, last, f"{name}, weighted by incidence")

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
        drawn = counts[0].to(curves.device)
        incidence = incidence_replicates(self.target, drawn, self.cause, self.times)
        share = torch.diff(incidence, dim=1, prepend=torch.zeros_like(incidence[:, :1]))
        return (curves * share).sum(dim=1) / incidence[:, -1]

    def _once(self) -> tuple[Tensor, ...]:
        return tuple(self.times.new_ones(1, size) for size in self.sizes)

    def _curves(self, *counts: Tensor) -> Tensor:
        """AUC; (replicate, grid), NaN where it is undefined."""
        weight = counts[0].to(self.times.device, torch.float64)
        if self.target.weight is not None:
            weight = weight * self.target.weight
        survival = self._event_survival(counts[-1])
        happened = (self.target.event > 0) & (weight > 0)
        inverse = torch.where(happened, weight / survival, 0.0)
        inverse = torch.where(inverse.isinf(), torch.nan, inverse)
        time_survival = censoring_survival_at(self.training, counts[-1], self.times, "at")
        curves = []
        orders = [ascending_order(column) for column in self.scores.unbind(1)]
        for place, time in enumerate(self.times):
            ascending, order = orders[place if len(orders) > 1 else 0]
            bounds = tie_bounds(ascending)
            cases, controls = self._weights(weight, inverse, time, time_survival[:, place, None])
            curves.append(_area(cases[:, order], controls[:, order], bounds))
        return torch.stack(curves, dim=1)

    def _weights(
        self, weight: Tensor, inverse: Tensor, time: Tensor, survival: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Weight of everybody as a case and as a control at a time; (replicate, batch) each."""
        target = self.target
        by_time = target.duration <= time
        own = target.event == self.cause
        cases = torch.where(by_time & own, inverse, 0.0)
        controls = torch.where(by_time, 0.0, weight)
        if self.controls == "cause-free":
            others = torch.where(by_time & ~own, inverse, 0.0)
            controls = controls / torch.where(survival > 0, survival, torch.nan) + others
        return cases, controls

    def _event_survival(self, drawn: Tensor) -> Tensor:
        duration = self.target.duration
        return censoring_survival_at(self.training, drawn, duration, self.event_weight)

    def _result(self, value: float, time: float, name: str) -> Result:
        target = self.target
        size = len(target.duration)
        by_time = target.duration <= time
        cases = by_time & (target.event == self.cause)
        events = int(cases.sum())
        if not isnan(value):
            drawn = self.times.new_ones(1, len(self.training.duration))
            weights = 1 / self._event_survival(drawn)[0][cases]
            method = f"{name}, cause {self.cause}, {self.controls} controls"
            method = f"{method}; {describe_weights(self.training, weights)}"
            return Estimate(value, None, method, size, events)
        return Undefined(self._reason(time, events, by_time), size, events)

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


def _area(cases: Tensor, controls: Tensor, bounds: tuple[Tensor, Tensor]) -> Tensor:
    """Weighted share of the pairs won by the case; (replicate), in the order of the scores."""
    first, after = bounds
    below = torch.cat([torch.zeros_like(controls[:, :1]), controls.cumsum(1)], dim=1)
    credit = (below[:, first] + below[:, after]) / 2
    total = cases.sum(dim=1) * controls.sum(dim=1)
    return torch.where(total == 0, torch.nan, (cases * credit).sum(dim=1) / total)
