"""Numbers at risk and numbers of events at every distinct duration."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.observations import check_target
from survkit.prediction import Times


@dataclass(frozen=True, slots=True)
class RiskTable:
    """Weighted counts at the distinct durations.

    Attributes:
        times: Distinct durations, increasing; float64 (grid).
        at_risk: Weight of the subjects with entry < t <= duration; float64 (grid).
        leaving: Weight of the subjects whose duration is t, by event code 0..K; float64 (1 + K,
            grid).
    """

    times: Tensor
    at_risk: Tensor
    leaving: Tensor


def risk_table(target: SurvivalTarget, causes: int) -> RiskTable:
    """Count a checked target whose event codes are 0..``causes``."""
    times, position = torch.unique(target.duration, return_inverse=True)
    weight = torch.ones_like(target.duration) if target.weight is None else target.weight
    grid = len(times)
    leaving = times.new_zeros((causes + 1) * grid)
    leaving = leaving.index_add(0, target.event * grid + position, weight).view(causes + 1, grid)
    at_risk = _from_the_end(leaving.sum(dim=0))
    if target.entry is not None:
        # Subject j enters after the knots before `entered[j]` and is counted too early there.
        entered = torch.searchsorted(times, target.entry, right=True)
        waiting = times.new_zeros(grid + 1).index_add(0, entered, weight)
        at_risk = at_risk - _from_the_end(waiting)[1:]
    return RiskTable(times, at_risk, leaving)


def numbers_at_risk(target: SurvivalTarget, times: Times) -> Tensor:
    """Weight of the subjects with entry < t <= duration, as printed under a plot; (grid).

    Raises:
        DataError: The target is not usable, or a time is NaN.
    """
    target = check_target(target)
    asked = torch.as_tensor(times, dtype=torch.float64, device=target.duration.device).reshape(-1)
    if bool(asked.isnan().any()):
        raise DataError("times must not be NaN")
    present = target.duration[:, None] >= asked
    if target.entry is not None:
        present &= target.entry[:, None] < asked
    if target.weight is None:
        return present.sum(dim=0).to(torch.float64)
    return target.weight @ present.to(torch.float64)


def _from_the_end(values: Tensor) -> Tensor:
    return values.flip(0).cumsum(0).flip(0)
