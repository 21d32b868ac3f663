"""What baselines predict, as the typed prediction that heads give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from survkit.baselines.protocol import Curves, Floats
from survkit.prediction import GridPrediction, Times


@dataclass(frozen=True, slots=True)
class BaselinePrediction:
    """Step curves, and the risk score that the model itself gives where there is one cause.

    Attributes:
        curves: The incidences; nothing is said beyond the longest training duration, and asking for
            it is refused. Between the last event time and that duration the curves are flat.
        score: Of the model of the only cause; (batch). ``None`` with competing causes.
    """

    curves: GridPrediction
    score: Tensor | None

    @property
    def last_time(self) -> float:
        """The longest training duration."""
        return self.curves.last_time

    @property
    def causes(self) -> int:
        """Number of competing causes of the event."""
        return self.curves.causes

    def survival(self, times: Times) -> Tensor:
        """P(duration > t): (batch, grid)."""
        return self.curves.survival(times)

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event of cause k by t): (batch, cause, grid)."""
        return self.curves.cumulative_incidence(times)

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t) = -log S(t): (batch, grid)."""
        return self.curves.cumulative_hazard(times)

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """The model's own score with one cause, else the incidence of the cause at the horizon."""
        return self.curves.risk_score(horizon, cause) if self.score is None else self.score


def combine(
    curves: Sequence[Curves], scores: Sequence[Floats], known_until: float
) -> BaselinePrediction:
    """Return the prediction from one model per cause.

    One cause: the model's own survival and risk score. Several: with the increments dH_k(t) of the
    cause-specific cumulative hazards and dH = sum_k dH_k, ``S(t) = exp(-sum dH)`` and
    ``F_k(t) = sum S(t-) (1 - exp(-dH)) dH_k / dH``, so that ``S + sum_k F_k = 1``; the same as the
    Cox head's.

    Reference: Aalen and Johansen (1978), Scandinavian Journal of Statistics 5:141, with the
        exponential form of the product for hazards predicted by models.
    """
    if len(curves) == 1:
        incidence = 1 - curves[0].survival[:, None, :]
        return BaselinePrediction(
            _steps(curves[0].times, incidence, known_until), torch.from_numpy(scores[0].copy())
        )
    times = np.unique(np.concatenate([one.times for one in curves]))
    gained = np.stack([_increments(one, times) for one in curves], axis=1)
    every = gained.sum(axis=1)
    before = np.exp(-np.pad(every.cumsum(axis=1)[:, :-1], ((0, 0), (1, 0))))
    share = np.divide(gained, every[:, None], out=np.zeros_like(gained), where=every[:, None] > 0)
    incidence = ((before * -np.expm1(-every))[:, None] * share).cumsum(axis=2)
    return BaselinePrediction(_steps(times, incidence, known_until), None)


def _increments(curves: Curves, times: Floats) -> Floats:
    """Return what a cumulative hazard gains at each of a larger set of times."""
    found = np.zeros((len(curves.cumulative_hazard), len(times)))
    found[:, np.searchsorted(times, curves.times)] = np.diff(
        curves.cumulative_hazard, axis=1, prepend=0.0
    )
    return found


def _steps(times: Floats, incidence: Floats, known_until: float) -> GridPrediction:
    return GridPrediction(
        time_grid=torch.from_numpy(np.array(times, dtype=np.float64)),
        incidence=torch.from_numpy(np.ascontiguousarray(incidence)),
        interpolation="step",
        known_until=known_until,
    )
