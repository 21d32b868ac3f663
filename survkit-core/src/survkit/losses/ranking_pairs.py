"""Sums over all comparable pairs of DeepHit's ranking term, without a matrix of pairs.

On a grid of T intervals ``sum_i sum_j A_ij exp((F_j(t_i) - F_i(t_i)) / sigma)`` factorises: the
inner sum depends on i only through its interval (and cause), so one sum per interval over the
subjects still at risk serves all its events. Time and memory are O(n T) instead of O(n^2).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from survkit.losses.risk_sets import risk_set_order


def interval_pair_sum(
    incidence: Tensor, slot: Tensor, event: Tensor, at_risk: Tensor, sigma: float, scale: float
) -> Tensor:
    """Return the sum over pairs compared by their intervals.

    Args:
        incidence: F, within [0, 1] so that exp(F / sigma) is finite; (batch, cause, grid).
        slot: (cause - 1) * grid + interval of an event, any slot for the censored; int64 (batch).
        event: Whether the subject had an event; the dtype of ``incidence`` (batch).
        at_risk: Whether a subject outlives the events of an interval; bool (batch, 1, grid).
        sigma: Scale of the differences.
        scale: What the sum is multiplied with.
    """
    value: Tensor = _IntervalPairSum.apply(incidence, slot, event, at_risk, sigma, scale)
    return value


class _IntervalPairSum(torch.autograd.Function):
    """The sum with its analytic gradient; for few subjects each operation costs, so few of them."""

    @staticmethod
    def forward(
        ctx: Any,
        incidence: Tensor,
        slot: Tensor,
        event: Tensor,
        at_risk: Tensor,
        sigma: float,
        scale: float,
    ) -> Tensor:
        """Return the sum; its gradient is kept, without the constant factors."""
        other = (incidence.contiguous() / sigma).exp_()
        flat = other.flatten(1)  # the same memory
        index = slot.unsqueeze(1)
        own = event.unsqueeze(1) / flat.gather(1, index)
        other.mul_(at_risk)
        others = flat.sum(0)
        owns = torch.zeros_like(others).index_add_(0, slot, own.squeeze(1))
        if ctx.needs_input_grad[0]:
            gradient = flat.mul_(owns)
            gradient.scatter_add_(1, index, own.mul_(others.take(index)).neg_())
            ctx.save_for_backward(other)
            ctx.factor = scale / sigma
        return owns.dot(others).mul_(scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None, None, None]:
        """Return the gradient saved by the forward pass, scaled."""
        (gradient,) = ctx.saved_tensors
        return gradient * (upstream * ctx.factor), None, None, None, None, None


def own_time_pair_sum(
    incidence: Tensor, interval: Tensor, slot: Tensor, event: Tensor, at_risk: Tensor, sigma: float
) -> Tensor:
    """Return the sum with the incidence of j taken at its own time instead of at that of i."""
    own_interval = interval.clamp(max=incidence.shape[2] - 1).view(-1, 1, 1)
    at_own_time = incidence.gather(2, own_interval.expand(-1, incidence.shape[1], 1))
    others = ((at_own_time / sigma).exp() * at_risk).sum(0).flatten()
    mine = incidence.flatten(1).gather(1, slot.unsqueeze(1)).squeeze(1)
    return ((-mine / sigma).exp() * event * others.index_select(0, slot)).sum()


def duration_pair_sum(
    incidence: Tensor, rank: Tensor, slot: Tensor, event: Tensor, sigma: float
) -> tuple[Tensor, Tensor]:
    """Return the sum over pairs compared by a rank of their own, and the number of pairs.

    Args:
        incidence: F; (batch, cause, grid).
        rank: Subject i precedes j if ``rank[i] < rank[j]``; float64 (batch).
        slot: As in :func:`interval_pair_sum`.
        event: As in :func:`interval_pair_sum`.
        sigma: Scale of the differences.
    """
    order = risk_set_order(rank)
    largest = incidence.detach().amax(0)
    other = ((incidence - largest) / sigma).exp().flatten(1).index_select(0, order.order)
    others = torch.cat(
        [torch.zeros_like(other[:1]), other.cumsum(0)]
    )  # row m: the m that come last
    mine = incidence.flatten(1).gather(1, slot.unsqueeze(1)).squeeze(1)
    own = ((largest.flatten().index_select(0, slot) - mine) / sigma).exp() * event
    later = torch.empty_like(order.start).scatter_(0, order.order, order.start)
    flat = later * other.shape[1] + slot
    pairs = (later * event).sum()
    return own.dot(others.flatten().index_select(0, flat)), pairs
