"""Observed over expected events of a cause at the horizon."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined


def observed_over_expected(part: Part) -> Tensor | Undefined:
    """Aalen–Johansen incidence at the horizon over the mean predicted incidence; (replicate).

    With one cause the numerator is 1 minus Kaplan–Meier.
    """
    table, weights = part.predictions, part.scored
    target = part.target
    last = float(target.duration.max())
    ended = bool((target.event[target.duration == last] > 0).all())
    if last < table.horizon and not ended:
        return part.undefined(
            f"the last subject is censored at {last:g}, before the horizon {table.horizon:g}, so "
            "what was observed by the horizon is unknown"
        )
    predicted = torch.from_numpy(table.cumulative_incidence[part.rows, part.cause - 1, -1])
    expected = (weights @ predicted) / weights.sum(dim=1)
    if float(expected[0]) == 0:
        return part.undefined("the model predicts no event at all by the horizon")
    ratio: Tensor = _incidence_at_horizon(part) / expected
    return ratio


def _incidence_at_horizon(part: Part) -> Tensor:
    """Weighted Aalen–Johansen estimates of the part's rows; (replicate)."""
    target, weights = part.target, part.scored
    times, position = torch.unique(target.duration, return_inverse=True)
    sums = weights.new_zeros(len(weights), len(times) + 1)

    def by_time(values: Tensor, at: Tensor) -> Tensor:
        added: Tensor = sums.index_add(1, at, values)
        return added

    at_risk = _from_the_end(by_time(weights, position))[:, :-1]
    if target.entry is not None:  # not yet at risk: who enters at this time or later
        waits = torch.searchsorted(times, target.entry, right=True)
        at_risk = at_risk - _from_the_end(by_time(weights, waits))[:, 1:]
    events = by_time(weights * (target.event > 0), position)[:, :-1]
    own = by_time(weights * (target.event == part.cause), position)[:, :-1]
    free = (1 - torch.where(events > 0, events / at_risk, 0.0)).cumprod(dim=1)
    before = torch.cat([free.new_ones(len(free), 1), free[:, :-1]], dim=1)
    steps = torch.where(own > 0, before * own / at_risk, 0.0)
    reached: Tensor = (steps * (times <= part.predictions.horizon)).sum(dim=1)
    return reached


def _from_the_end(values: Tensor) -> Tensor:
    return values.flip(1).cumsum(1).flip(1)
