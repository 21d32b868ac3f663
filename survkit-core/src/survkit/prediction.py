"""Typed predictions: a curve cannot be passed where a risk score belongs, and every head
interpolates alike.

One policy. Between the knots of a discrete grid the probability of an event is spread evenly over
its interval, so the cumulative incidence is linear; a Breslow baseline is the right-continuous step
function that it is by definition. Nothing is said beyond the last time a model knows: asking for it
is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from survkit.errors import DataError

Times = Sequence[float] | Tensor


class SurvivalPrediction(Protocol):
    """What every head predicts for a batch of subjects."""

    @property
    def last_time(self) -> float:
        """The latest time about which the prediction says anything."""

    @property
    def causes(self) -> int:
        """Number of competing causes of the event."""

    def survival(self, times: Times) -> Tensor:
        """P(duration > t): (batch, grid), never increasing along ``times``."""

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event of cause k by t): (batch, cause, grid); with the survival it sums to one."""

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t) = -log S(t): (batch, grid)."""

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """Higher means an earlier event of the cause by the horizon: (batch)."""


def check_times(times: Times, last_time: float) -> Tensor:
    """Return times as float64 (grid) after refusing NaN, negative ones and those the prediction
    says nothing about.
    """
    asked = torch.as_tensor(times, dtype=torch.float64).reshape(-1)
    wrong = ~((asked >= 0) & (asked <= last_time))
    if bool(wrong.any()):
        raise DataError(
            f"times must lie between 0 and {last_time:g}, the last time this model knows, "
            f"but {float(asked[wrong][0]):g} was asked; "
            "ask for earlier times or train with a longer horizon"
        )
    return asked


@dataclass(frozen=True, slots=True)
class GridPrediction:
    """A prediction known at the knots of a time grid.

    Attributes:
        time_grid: Increasing knots, the first > 0; at time 0 nothing has happened. float64 (grid).
        incidence: Cumulative incidence at the knots; (batch, cause, grid).
        interpolation: ``"linear"`` between interval edges, ``"step"`` for knots that are event
            times.
        log_hazard: Log relative hazard (batch, cause) where the model is proportional; it orders
            subjects without the saturation that probabilities have.
        known_until: The latest time asked without refusal; the last knot where it is ``None``.
    """

    time_grid: Tensor
    incidence: Tensor
    interpolation: Literal["linear", "step"]
    log_hazard: Tensor | None = None
    known_until: float | None = None

    @property
    def last_time(self) -> float:
        """The latest time about which the prediction says anything."""
        return float(self.time_grid[-1]) if self.known_until is None else self.known_until

    @property
    def causes(self) -> int:
        """Number of competing causes of the event."""
        return int(self.incidence.shape[1])

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event of cause k by t): (batch, cause, grid)."""
        asked = check_times(times, self.last_time).to(self.time_grid.device)
        knots = torch.cat([self.time_grid.new_zeros(1), self.time_grid])
        values = torch.cat(
            [self.incidence.new_zeros(*self.incidence.shape[:2], 1), self.incidence], dim=2
        )
        left = (torch.searchsorted(knots, asked, right=True) - 1).clamp(max=len(knots) - 1)
        if self.interpolation == "step":
            return values[..., left]
        right = (left + 1).clamp(max=len(knots) - 1)
        width = (knots[right] - knots[left]).clamp(min=torch.finfo(knots.dtype).tiny)
        share = ((asked - knots[left]) / width).to(values.dtype)
        return values[..., left] + share * (values[..., right] - values[..., left])

    def survival(self, times: Times) -> Tensor:
        """P(duration > t): (batch, grid)."""
        return (1 - self.cumulative_incidence(times).sum(dim=1)).clamp(
            0, 1
        )  # rounding only: incidences sum to <= 1

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t) = -log S(t): (batch, grid)."""
        return -self.survival(times).log()

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """Higher means an earlier event of the cause: (batch)."""
        if self.log_hazard is not None and self.causes == 1:
            return self.log_hazard[:, 0]
        return self.cumulative_incidence([horizon])[:, cause - 1, 0]
