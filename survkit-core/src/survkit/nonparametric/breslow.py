"""Breslow's baseline hazard for a fitted Cox model."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.losses.risk_sets import risk_set_order
from survkit.nonparametric.observations import check_observed, check_target, check_vector


def breslow_cumulative_hazard(
    log_hazard: Tensor,
    duration: Tensor,
    observed: Tensor,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the cumulative hazard of somebody whose log hazard is 0, at the event times.

    >>> times, hazard = breslow_cumulative_hazard(
    ...     torch.zeros(3), torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, True, False])
    ... )
    >>> hazard.tolist()  # 1/3, then 1/3 + 1/2
    [0.3333333333333333, 0.8333333333333333]

    Args:
        log_hazard: Log relative hazard of each subject; (batch).
        duration: Time of event or censoring; (batch).
        observed: Whether the event was observed; bool (batch).
        entry: Delayed entry, < duration; (batch).
        weight: Case weight > 0; (batch).

    Returns:
        ``times`` float64 (grid), increasing, and ``cumulative_hazard`` float64 (grid); both empty
        without events.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Breslow (1972), J. R. Stat. Soc. B 34:216.
    """
    times, event = check_observed(duration, observed)
    target = check_target(SurvivalTarget(times, event, entry, weight))
    duration, observed = target.duration, target.event > 0
    values = check_vector("log_hazard", log_hazard, len(duration))
    order = risk_set_order(duration, entry=target.entry)
    share = torch.ones_like(values) if target.weight is None else target.weight
    share = share.index_select(0, order.order)
    log_at_risk = order.risk_sum(values.index_select(0, order.order) + share.log(), log=True)
    events = observed.index_select(0, order.order)
    event_times = duration.index_select(0, order.order)[events].flip(0)
    steps = (share.log() - log_at_risk).exp()[events].flip(0)
    first = torch.ones_like(event_times, dtype=torch.bool)
    first[1:] = event_times[1:] != event_times[:-1]
    event_times, place = event_times[first], first.cumsum(0) - 1
    hazard = torch.zeros_like(event_times).index_add_(0, place, steps).cumsum(0)
    return event_times, hazard
