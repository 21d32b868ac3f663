"""The prediction of several networks: their mean probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.prediction import SurvivalPrediction, Times


@dataclass(frozen=True, slots=True)
class AveragePrediction:
    """Mean of the members' cumulative incidences.

    Log hazards of members need not share a scale, so subjects are ordered by the mean probability.
    """

    members: Sequence[SurvivalPrediction]

    @property
    def last_time(self) -> float:
        """The latest time about which every member says something."""
        return min(member.last_time for member in self.members)

    @property
    def causes(self) -> int:
        """Number of competing causes of the event."""
        return self.members[0].causes

    def cumulative_incidence(self, times: Times) -> Tensor:
        """P(event of cause k by t): (batch, cause, grid)."""
        return torch.stack([one.cumulative_incidence(times) for one in self.members]).mean(dim=0)

    def survival(self, times: Times) -> Tensor:
        """P(duration > t): (batch, grid)."""
        return torch.stack([one.survival(times) for one in self.members]).mean(dim=0)

    def cumulative_hazard(self, times: Times) -> Tensor:
        """H(t) = -log S(t): (batch, grid)."""
        return -self.survival(times).log()

    def risk_score(self, horizon: float, cause: int = 1) -> Tensor:
        """Higher means an earlier event of the cause by the horizon: (batch)."""
        return self.cumulative_incidence([horizon])[:, cause - 1, 0]
