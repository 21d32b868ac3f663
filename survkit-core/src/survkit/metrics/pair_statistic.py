"""A concordance as an object: its value, and its value in every bootstrap replicate by matrix
products.

With w how often each subject was drawn, P the comparable pairs and W their credits, the
replicate's value is (wᵀ W w) / (wᵀ P w). W is built for a block of events at a time, so memory is
bounded; wᵀ P w needs only sums of suffixes. Two draws of one subject are never a comparable pair,
as in resampled data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pairs import (
    Outcome,
    comparable_block,
    outcome_without_events,
    risk_orders,
    suffix_weights,
)

BLOCK_CELLS = 2**22
"""Most cells of any (subject, event) block that is held at once."""

ScoreBlocks = Iterator[tuple[Tensor, Tensor, Tensor]]
"""Rows of events (event), everybody's predictions for comparison with them (subject, event) or
(subject, 1), and the events' own (event)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairStatistic:
    """A concordance that can be evaluated on the data and on resampled data.

    Attributes:
        outcome: What was observed.
        count: Counts the pairs of the data by the fastest way.
        blocks: Gives predictions event by event for the matrix products.
        tie_score: Credit of a tied pair.
        tolerance: Predictions at most this far apart are tied.
        method: What is computed, in words.
    """

    outcome: Outcome
    count: Callable[[], PairCounts]
    blocks: Callable[[], ScoreBlocks]
    tie_score: float
    tolerance: float
    method: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        return (self.outcome.n,)

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, 1.0)

    def estimate(self) -> Result:
        """Return the concordance of the data."""
        undefined = outcome_without_events(self.outcome)
        if undefined is not None:
            return undefined
        return concordance_of(self.count(), self.tie_score, self.outcome, self.method)

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the concordance for each row of draw counts.

        Args:
            counts: How often each subject was drawn; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN where a replicate has no comparable pair.
        """
        weight = counts[0].to(self.outcome.time.device, torch.float64)
        if self.outcome.weight is not None:
            weight = weight * self.outcome.weight
        if weight.requires_grad:
            return self._differentiable(weight) / self._comparable(weight)
        whole = self.outcome.weight is None and not counts[0].is_floating_point()
        factor = weight.to(torch.float32) if _exact_in_float32(weight, whole) else weight
        concordant = weight.new_zeros(len(weight))
        for anchors, scores, own in self.blocks():
            credit = self._credit(anchors, scores, own).to(factor.dtype)
            concordant += ((factor @ credit) * weight[:, anchors]).sum(dim=1)
        return concordant / self._comparable(weight)

    def _differentiable(self, weight: Tensor) -> Tensor:
        """Weight of the concordant pairs with its derivative, which is W w + Wᵀ w.

        Autograd would keep every block of credits until the backward pass; this keeps one.
        """
        fixed = weight.detach()
        value, slope = fixed.new_zeros(len(fixed)), torch.zeros_like(fixed)
        for anchors, scores, own in self.blocks():
            credit = self._credit(anchors, scores, own).to(fixed.dtype)
            won = fixed @ credit
            value += (won * fixed[:, anchors]).sum(dim=1)
            slope[:, anchors] += won
            slope += fixed[:, anchors] @ credit.T
        return value + ((weight - fixed) * slope).sum(dim=1)  # the second term is 0

    def _credit(self, anchors: Tensor, scores: Tensor, own: Tensor) -> Tensor:
        difference = own - scores
        tied = difference.abs() <= self.tolerance
        credit = torch.where(tied, self.tie_score, (difference > 0).to(torch.float32))
        return credit * comparable_block(self.outcome, anchors)

    def _comparable(self, weight: Tensor) -> Tensor:
        total = weight.new_zeros(len(weight))
        for order in risk_orders(self.outcome):
            partners = suffix_weights(weight, order.later)
            if order.entering is not None:
                partners = partners - suffix_weights(weight, order.entering)
            total += (partners * weight[:, order.anchors]).sum(dim=1)
        return torch.where(total > 0, total, torch.nan)


def mean_replicates(statistics: Sequence[PairStatistic], counts: Tensor) -> Tensor:
    """Return the mean of several concordances in every resample, by one matrix product for all.

    A concordance is linear in the credits of its pairs, so the mean of many on the same outcome is
    that of their mean credits. Equal statistics give exactly what one of them gives.

    Args:
        statistics: On the same outcome; at least one.
        counts: How often each subject was drawn; (replicate, batch).

    Returns:
        float64 (replicate); NaN where a replicate has no comparable pair.
    """
    first = statistics[0]
    weight = counts.to(first.outcome.time.device, torch.float64)
    if first.outcome.weight is not None:
        weight = weight * first.outcome.weight
    concordant = weight.new_zeros(len(weight))
    for blocks in zip(*(each.blocks() for each in statistics), strict=True):
        anchors = blocks[0][0]
        credit = weight.new_zeros(first.outcome.n, len(anchors))
        for each, block in zip(statistics, blocks, strict=True):
            credit += each._credit(*block)
        concordant += ((weight @ (credit / len(statistics))) * weight[:, anchors]).sum(dim=1)
    return concordant / first._comparable(weight)


def _exact_in_float32(weight: Tensor, whole: bool) -> bool:
    """Whether sums of the weights and of their halves are: then products take half the time."""
    if weight.requires_grad or bool((weight.sum(dim=1) >= 2**23).any()):
        return False
    return whole or bool((weight == weight.round()).all())


def concordance_of(counts: PairCounts, tie_score: float, outcome: Outcome, method: str) -> Result:
    """Divide, or say why that is impossible."""
    if counts.comparable <= 0:
        return Undefined(
            "no comparable pair: nobody is known to be event-free at the time of an event",
            outcome.n,
            outcome.events,
        )
    value = (counts.concordant + tie_score * counts.tied) / counts.comparable
    return Estimate(value, None, method, outcome.n, outcome.events)


def event_blocks(anchors: Tensor, subjects: int) -> Iterator[Tensor]:
    """Cut the rows of the events so that (subject, event) blocks stay below the bound."""
    return iter(torch.split(anchors, max(1, BLOCK_CELLS // subjects)))
