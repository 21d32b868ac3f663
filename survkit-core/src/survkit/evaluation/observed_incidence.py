"""What was observed: the Aalen–Johansen incidence of a part's own subjects, in every resample.

With one cause it is 1 minus Kaplan–Meier. Case weights and delayed entry are honoured.
"""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.ratio import ratio_where


def incidence_at(part: Part, times: Tensor) -> Tensor:
    """Return P(event of the cause by t); float64 (replicate, time).

    Args:
        part: Whose rows.
        times: float64 (time); the last value is kept after the last duration.
    """
    target, weights = part.target, part.scored
    knots, position = torch.unique(target.duration, return_inverse=True)

    def by_knot(values: Tensor, at: Tensor) -> Tensor:
        sums = weights.new_zeros(len(weights), len(knots) + 1)
        added: Tensor = sums.index_add(1, at, values)
        return added

    at_risk = _from_the_end(by_knot(weights, position))[:, :-1]
    if target.entry is not None:  # not yet at risk: who enters at this time or later
        waits = torch.searchsorted(knots, target.entry, right=True)
        at_risk = at_risk - _from_the_end(by_knot(weights, waits))[:, 1:]
    events = by_knot(weights * (target.event > 0), position)[:, :-1]
    own = by_knot(weights * (target.event == part.cause), position)[:, :-1]
    free = (1 - ratio_where(events > 0, events, at_risk)).cumprod(dim=1)
    before = torch.cat([torch.ones_like(free[:, :1]), free[:, :-1]], dim=1)
    steps = ratio_where(own > 0, before * own, at_risk)
    reached = torch.cat([torch.zeros_like(steps[:, :1]), steps.cumsum(dim=1)], dim=1)
    return reached[:, torch.searchsorted(knots, times, right=True)]


def unobserved(part: Part) -> Undefined | None:
    """Say that follow-up ends before the horizon, if it does."""
    table, target = part.predictions, part.target
    last = float(target.duration.max())
    ended = bool((target.event[target.duration == last] > 0).all())
    if last >= table.horizon or ended:
        return None
    return part.undefined(
        f"the last subject is censored at {last:g}, before the horizon {table.horizon:g}, so "
        "what was observed by the horizon is unknown"
    )


def _from_the_end(values: Tensor) -> Tensor:
    return values.flip(1).cumsum(1).flip(1)
