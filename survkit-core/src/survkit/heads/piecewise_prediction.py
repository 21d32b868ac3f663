"""The typed prediction of a piecewise constant hazard: exact between the edges, too."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.prediction import Times, check_times


@dataclass(frozen=True, slots=True, kw_only=True)
class PiecewisePrediction:
    """A hazard that is constant within each interval.

    Attributes:
        time_grid: Right edges of the intervals; float64 (grid).
        gained: Cumulative hazard gained over each interval, >= 0; float64 (batch, grid).
    """

    time_grid: Tensor
    gained: Tensor

    @property
    def last_time(self) -> float:
        """The last edge: nothing was looked at beyond it."""
        return float(self.time_grid[-1])

    @property
    def causes(self) -> int:
        """One."""
        return 1

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t), linear within each interval; (batch, grid)."""
        asked = check_times(times, self.last_time).to(self.time_grid.device)
        knots = torch.cat([self.time_grid.new_zeros(1), self.time_grid])
        interval = torch.searchsorted(self.time_grid, asked).clamp(max=len(self.time_grid) - 1)
        share = (asked - knots[interval]) / knots.diff()[interval]
        before = torch.nn.functional.pad(self.gained.cumsum(dim=1)[:, :-1], (1, 0))
        return before[:, interval] + share * self.gained[:, interval]

    def survival(self, times: Times) -> Tensor:
        """P(duration > t) = exp(-H(t)); (batch, grid)."""
        return (-self.cumulative_hazard(times)).exp()

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event by t) = 1 - exp(-H(t)); (batch, 1, grid)."""
        return -(-self.cumulative_hazard(times)).expm1()[:, None]

    def hazard(self, times: Times) -> Tensor:
        """h(t), per time unit, of the interval that holds t; (batch, grid)."""
        asked = check_times(times, self.last_time).to(self.time_grid.device)
        interval = torch.searchsorted(self.time_grid, asked).clamp(max=len(self.time_grid) - 1)
        width = self.time_grid.diff(prepend=self.time_grid.new_zeros(1))
        return (self.gained / width)[:, interval]

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """H(horizon): orders as P(event by the horizon) does, without its saturation; (batch).

        Raises:
            DataError: The horizon lies beyond the last time, or the cause is not 1.
        """
        if cause != 1:
            raise DataError(f"a piecewise hazard model has one cause, but cause {cause} was asked")
        return self.cumulative_hazard([horizon])[:, 0]
