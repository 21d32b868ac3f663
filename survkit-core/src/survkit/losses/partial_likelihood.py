"""The partial likelihood and its gradient, in one pass over the risk sets.

With w = exp(log hazard) times case weight, S the sum of w over the risk set of an event, D the sum
of w over the events tied with it, d their number, and l = 0..d-1 the rank of the event among them:

=======  =======================  =============================================================
ties     denominator of event l   case weight c of its logarithm
=======  =======================  =============================================================
Breslow  S                        its own
Efron    S - (l / d) D            mean over the tied events (as in R's ``survival``)
=======  =======================  =============================================================

Reference: Cox (1972); Breslow (1974); Efron (1977), J. Am. Stat. Assoc. 72:557.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from survkit.losses.risk_sets import RiskSetOrder
from survkit.losses.windows import group_log_sum_exp

Ties = Literal["breslow", "efron"]

_LINEAR_RANGE = (
    600.0  # exp(-600) is far from underflow in float64, so sums of exponentials lose nothing
)


def partial_likelihood(
    log_hazard: Tensor, observed: Tensor, weight: Tensor | None, order: RiskSetOrder, ties: Ties
) -> Tensor:
    """Return the negative log partial likelihood per event (weighted: per sum of event weights).

    Args:
        log_hazard: Log relative hazard; (batch).
        observed: Whether the event was observed; bool (batch).
        weight: Case weight > 0; (batch).
        order: Risk sets of the subjects.
        ties: How tied events share a risk set.

    Returns:
        A float64 scalar.
    """
    value: Tensor = _PartialLikelihood.apply(log_hazard, observed, weight, order, ties)
    return value


class _PartialLikelihood(torch.autograd.Function):
    """The value; its analytic gradient is computed together with it."""

    @staticmethod
    def forward(
        ctx: Any,
        log_hazard: Tensor,
        observed: Tensor,
        weight: Tensor | None,
        order: RiskSetOrder,
        ties: Ties,
    ) -> Tensor:
        """Return the scalar loss in float64."""
        x = log_hazard.to(torch.float64).index_select(0, order.order)
        e = observed.index_select(0, order.order).to(torch.float64)
        case_weight = (
            None if weight is None else weight.to(torch.float64).index_select(0, order.order)
        )
        y = x if case_weight is None else x + case_weight.log()
        event_weight = e if case_weight is None else e * case_weight
        terms = _log_terms if _needs_logarithms(y) else _linear_terms
        log_weight, rank_share = _tied_events(e, event_weight, order, ties)
        value, slope = terms(y, log_weight, rank_share, order)
        total = event_weight.sum()
        # Without events the value is 0 and so is the gradient, but the graph stays whole.
        scale = torch.where(total > 0, total, torch.ones_like(total)).reciprocal()
        if ctx.needs_input_grad[0]:
            gradient = torch.empty_like(slope).scatter_(
                0, order.order, (slope - event_weight) * scale
            )
            ctx.save_for_backward(gradient.to(log_hazard.dtype))
        return (value - (event_weight * x).sum()) * scale

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the gradient saved by the forward pass, scaled."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream.to(gradient.dtype), None, None, None, None


def _needs_logarithms(y: Tensor) -> bool:
    """Decide whether plain sums could underflow; a device is never asked, it takes the safe way."""
    if y.device.type != "cpu" or len(y) == 0:
        return True
    smallest, largest = torch.aminmax(y)
    return not float(largest - smallest) <= _LINEAR_RANGE


def _tied_events(
    e: Tensor, event_weight: Tensor, order: RiskSetOrder, ties: Ties
) -> tuple[Tensor, Tensor | None]:
    """Return the weight of each event's log denominator and, for Efron, its share l / d."""
    if ties == "breslow":
        return event_weight, None
    count = e.cumsum(0)  # whole numbers: their differences are exact
    before = (count - e).index_select(0, order.start)
    tied = (count.index_select(0, order.end) - before).clamp(min=1.0)
    share = e * (count - before - 1) / tied
    return e * order.group_sum(event_weight) / tied, share


def _linear_terms(
    y: Tensor, log_weight: Tensor, share: Tensor | None, order: RiskSetOrder
) -> tuple[Tensor, Tensor]:
    """Return sum of weighted log denominators and its gradient with respect to y, by plain sums."""
    shift = y.max()
    w = (y - shift).exp()
    denominator = order.risk_sum(w)
    if share is not None:
        event = log_weight > 0
        denominator = denominator - share * order.group_sum(w * event)
    inverse = log_weight / denominator
    value = (log_weight * (denominator.log() + shift)).sum()
    exposure = order.exposure_sum(inverse)
    if share is not None:
        exposure = exposure - event * order.group_sum(inverse * share)
    return value, w * exposure


def _log_terms(
    y: Tensor, log_weight: Tensor, share: Tensor | None, order: RiskSetOrder
) -> tuple[Tensor, Tensor]:
    """Return the same by log-sum-exps, for any range of y."""
    event = log_weight > 0
    log_denominator = order.risk_sum(y, log=True)
    if share is not None:
        log_tied = _group_log_sum(y, event, order)
        # share <= (d - 1) / d and D <= S, so the argument of log1p stays above -1.
        ratio = (log_tied - log_denominator).exp().clamp(max=1.0)  # rounding may exceed 1 by an ulp
        log_denominator = log_denominator + torch.log1p(-share * ratio)
    log_inverse = torch.where(event, log_weight.log() - log_denominator, -torch.inf)
    slope = (y + order.exposure_sum(log_inverse, log=True)).exp()
    if share is not None:
        tied = _group_log_sum(log_inverse + share.log(), event, order)
        slope = slope - event * (y + tied).exp()
    value = torch.where(event, log_weight * log_denominator, 0.0).sum()
    return value, slope


def _group_log_sum(values: Tensor, event: Tensor, order: RiskSetOrder) -> Tensor:
    """Return per position the log-sum-exp of values over the events of its tie group."""
    masked = values.masked_fill(~event, -torch.inf)
    return group_log_sum_exp(order.start, masked, len(values)).index_select(0, order.start)
