"""A calibration index as an object that can be resampled: the regression is refitted in every
replicate, all of them at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.cubic_spline import restricted_cubic_basis
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.hazard_regression import fit_hazard_regression
from survkit.metrics.weighted_quantile import weighted_quantile

CalibrationIndex = Literal["ici", "e50", "e90", "emax"]
"""Summary of |observed - predicted| over the subjects: mean, median, 0.9 quantile or maximum."""

INDEX_WORDS = {"ici": "mean", "e50": "median", "e90": "0.9 quantile", "emax": "maximum"}

KNOTS = (0.1, 0.5, 0.9)
"""Quantiles of the predictions at which the spline has its knots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationIndexStatistic:
    """A calibration index that can be evaluated on the data and on resampled data.

    Attributes:
        horizon: The time point.
        predicted: P(event of the cause by the horizon); float64 (batch).
        target: Checked, without delayed entry.
        cause: The cause asked about.
        index: Which summary of the distances.
    """

    horizon: float
    predicted: Tensor
    target: SurvivalTarget
    cause: int
    index: CalibrationIndex

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        return (len(self.predicted),)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, 1.0)

    def estimate(self) -> Result:
        """Return the index of the data."""
        undefined = self.undefined()
        if undefined is not None:
            return undefined
        value = float(self.replicates(self.predicted.new_ones(1, len(self.predicted)))[0])
        if value != value:
            return self.no_maximum()
        others = (self.target.event > 0) & (self.target.event != self.cause)
        model = "Fine–Gray" if bool(others.any()) else "Cox"
        method = (
            f"calibration {self.index.upper()} at {self.horizon:g}, cause {self.cause}: "
            f"{INDEX_WORDS[self.index]} distance to a {model} regression on a restricted cubic "
            "spline of the complementary log-log prediction, 3 knots"
        )
        return Estimate(value, None, method, len(self.predicted), self._events())

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the index for each row of draw counts; the knots stay those of the data.

        Args:
            counts: How often each subject was drawn; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN where no curve can be fitted.
        """
        if counts[0].requires_grad and self.index != "ici":
            raise DataError(
                f"{self.index} is a quantile of distances, which has no derivative: bootstrap it"
            )
        if self.undefined() is not None:
            return self.predicted.new_full((len(counts[0]),), torch.nan)
        return self.summary(self.observed(counts[0]), counts[0], self.index)

    def summary(self, observed: Tensor, counts: Tensor, index: CalibrationIndex) -> Tensor:
        """Summarise what :meth:`observed` gave, so that several indices share one regression.

        Args:
            observed: float64 (replicate, batch).
            counts: As it was given.
            index: Which summary.

        Returns:
            float64 (replicate).
        """
        weight = self._weight(counts)
        distance = (observed - self.predicted).abs()
        if index == "ici":
            value = (weight * distance).sum(dim=1) / weight.sum(dim=1)
        elif index == "emax":
            value = torch.where(weight > 0, distance, 0.0).amax(dim=1)
        else:
            value = weighted_quantile(distance, weight, 0.5 if index == "e50" else 0.9)
        return torch.where(distance.isnan().any(dim=1), torch.nan, value)

    def observed(self, counts: Tensor) -> Tensor:
        """Return the smoothed observed probability of everybody; float64 (replicate, batch).

        NaN where the regression has no maximum or the follow-up of a replicate is too short.
        """
        columns = self._columns()
        weight = self._weight(counts)
        fit = fit_hazard_regression(
            columns, self.target, weight, cause=self.cause, horizon=self.horizon
        )
        hazard = fit.baseline[:, None] * (fit.coefficient @ columns.T).exp()
        last = torch.where(weight > 0, self.target.duration, -torch.inf).amax(dim=1)
        return torch.where(last[:, None] >= self.horizon, -torch.expm1(-hazard), torch.nan)

    def undefined(self) -> Undefined | None:
        """Say what keeps a curve from being fitted, if it can be said beforehand."""
        last = float(self.target.duration.max())
        certain = ((self.predicted <= 0) | (self.predicted >= 1)).nonzero()[:, 0]
        if self._events() == 0:
            return self._undefined("nobody has the event")
        if self.horizon > last:
            return self._undefined(
                f"follow-up ends at {last:g}, before the horizon {self.horizon:g}"
            )
        if len(certain):
            row = int(certain[0])
            return self._undefined(
                f"row {row} is predicted {float(self.predicted[row]):g} ({len(certain)} rows are "
                "predicted 0 or 1): the complementary log-log of certainty is infinite"
            )
        if bool((self._knots().diff() <= 0).any()):
            return self._undefined("the predictions take too few distinct values for a curve")
        return None

    def no_maximum(self) -> Undefined:
        """Say that the regression cannot be fitted."""
        return self._undefined("the regression of the calibration curve has no maximum")

    def _undefined(self, reason: str) -> Undefined:
        return Undefined(reason, len(self.predicted), self._events())

    def _events(self) -> int:
        return int((self.target.event == self.cause).sum())

    def _log_log(self) -> Tensor:
        return (-torch.log1p(-self.predicted)).log()

    def _columns(self) -> Tensor:
        """Spline basis with mean 0 and standard deviation 1, which the regression needs."""
        basis = restricted_cubic_basis(self._log_log(), self._knots())
        return (basis - basis.mean(dim=0)) / basis.std(dim=0)

    def _knots(self) -> Tensor:
        values = self._log_log()[None]
        weight = self._weight(torch.ones_like(values))
        return torch.cat([weighted_quantile(values, weight, knot) for knot in KNOTS])

    def _weight(self, counts: Tensor) -> Tensor:
        weight = counts.to(self.predicted.device, torch.float64)
        return weight if self.target.weight is None else weight * self.target.weight
