"""Uno's concordance as an object: its value by rank counts, its replicates by matrix products."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics.censoring_weights import (
    censoring_survival_at,
    describe_weights,
    unknown_weight,
)
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.metrics.ipcw import EventWeight
from survkit.metrics.pair_statistic import event_blocks
from survkit.metrics.pairs import (
    Outcome,
    Suffixes,
    comparable_block,
    outcome_without_events,
    places_of,
    risk_orders,
    suffix_weights,
)
from survkit.metrics.rank_counts import suffix_rank_counts
from survkit.nonparametric.ratio import ratio_where


@dataclass(frozen=True, slots=True, kw_only=True)
class UnoStatistic:
    """Uno's concordance, which can be evaluated on the data and on resampled data.

    Attributes:
        outcome: What was observed, without delayed entry.
        kept: Who had a competing event and stays comparable with later events; bool (batch).
        score: Risk scores; float64 (batch).
        training: The subjects of the censoring model; event 1 ends a follow-up that is not
            censored.
        same_subjects: The evaluated subjects are the training subjects, so they are resampled
            together.
        event_weight: Where the censoring survival is read for an event.
        method: What is computed, in words.
    """

    outcome: Outcome
    kept: Tensor | None
    score: Tensor
    training: SurvivalTarget
    same_subjects: bool
    event_weight: EventWeight
    method: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the independent groups of subjects to resample."""
        both = (self.outcome.n, len(self.training.duration))
        return both[:1] if self.same_subjects else both

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest possible value, for intervals."""
        return (0.0, 1.0)

    def estimate(self) -> Result:
        """Return the concordance of the data."""
        outcome = self.outcome
        undefined = outcome_without_events(outcome)
        if undefined is not None:
            return undefined
        rows = outcome.anchor.nonzero()[:, 0]
        once = outcome.time.new_ones(1, len(self.training.duration))
        survival = self._survival(once, outcome.time[rows])[0]
        unknown = ~(survival > 0)
        if bool(unknown.any()):
            time = float(outcome.time[rows][unknown].min())
            reason = unknown_weight(self.training, time, "choose an earlier tau")
            return Undefined(reason, outcome.n, outcome.events)
        inverse = torch.zeros_like(outcome.time).index_put_((rows,), survival**-2)
        concordant, comparable = self._sums(inverse)
        if self.kept is not None:
            everybody = self.kept.to(torch.float64)[None]
            kept = self._kept_weights(everybody, once)[0]
            more = self._kept_sums(inverse.sqrt(), kept)
            concordant, comparable = concordant + more[0], comparable + more[1]
        if comparable <= 0:
            return Undefined(
                "no comparable pair: nobody is known to be event-free at the time of an event",
                outcome.n,
                outcome.events,
            )
        method = f"{self.method}; {describe_weights(self.training, inverse[rows])}"
        return Estimate(concordant / comparable, None, method, outcome.n, outcome.events)

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the concordance for each row of draw counts; G is refitted in each.

        Args:
            counts: How often each evaluated subject was drawn and, where they are others, each
                training subject; int64 (replicate, batch).

        Returns:
            float64 (replicate); NaN without a comparable pair or where a drawn event has no weight.
        """
        concordant, comparable = self.replicate_sums(*counts)
        return torch.where(comparable > 0, concordant / comparable, torch.nan)

    def replicate_sums(self, *counts: Tensor) -> tuple[Tensor, Tensor]:
        """Return what :meth:`replicates` divides, so that sums of several parts can be added.

        Returns:
            Weight of the concordant pairs, ties by half, and of the comparable pairs; float64
            (replicate) each, NaN where a drawn event has no weight.
        """
        outcome = self.outcome
        weight = counts[0].to(outcome.time.device, torch.float64)
        if outcome.weight is not None:
            weight = weight * outcome.weight
        rows = outcome.anchor.nonzero()[:, 0]
        survival = self._survival(counts[-1], outcome.time[rows])
        drawn = weight[:, rows] > 0
        known = (~drawn | (survival > 0)).all(dim=1)
        usable = drawn & (survival > 0)
        inverse = torch.zeros_like(weight)
        inverse[:, rows] = ratio_where(usable, torch.ones_like(survival), survival)
        own = weight * inverse**2
        concordant, comparable = torch.zeros_like(weight[:, 0]), torch.zeros_like(weight[:, 0])
        for anchors in event_blocks(rows, outcome.n):
            credit = self._credit(anchors) * comparable_block(outcome, anchors)
            concordant += ((weight @ credit) * own[:, anchors]).sum(dim=1)
        for order in risk_orders(outcome):
            partners = suffix_weights(weight, order.later)
            comparable += (partners * own[:, order.anchors]).sum(dim=1)
        if self.kept is not None:
            kept = self._kept_weights(weight * self.kept, counts[-1])
            own = weight * inverse
            for anchors in event_blocks(rows, outcome.n):
                earlier = self._earlier(anchors)
                won = kept @ (self._credit(anchors) * earlier)
                concordant += (won * own[:, anchors]).sum(dim=1)
                comparable += ((kept @ earlier) * own[:, anchors]).sum(dim=1)
        return torch.where(known, concordant, torch.nan), torch.where(known, comparable, torch.nan)

    def _credit(self, anchors: Tensor) -> Tensor:
        """1 where the event has the higher score, 0.5 where tied; (subject, event)."""
        difference = self.score[anchors] - self.score[:, None]
        return (difference.sign() + 1) / 2

    def _earlier(self, anchors: Tensor) -> Tensor:
        """1 for who left before the event, in its stratum; float64 (subject, event)."""
        outcome = self.outcome
        earlier = outcome.time[:, None] < outcome.time[anchors]
        if outcome.strata is not None:
            earlier &= outcome.strata[:, None] == outcome.strata[anchors]
        return earlier.to(torch.float64)

    def _kept_weights(self, weight: Tensor, drawn: Tensor) -> Tensor:
        """Weight / G(t_j-); (replicate, batch)."""
        survival = self._survival(drawn, self.outcome.time)
        known = survival > 0  # it is, before any event that has a weight
        return ratio_where(known, weight, survival)

    def _kept_sums(self, inverse: Tensor, kept: Tensor) -> tuple[float, float]:
        """Weight of the concordant and of all pairs of events with earlier competing events."""
        weight = self.outcome.weight
        if weight is not None:
            inverse, kept = inverse * weight, kept * weight
        concordant = comparable = 0.0
        for order in risk_orders(self.outcome):
            # Latest first: who left before an event is then a suffix.
            backwards = order.later.order.flip(0)
            time = -self.outcome.time[backwards]
            start = torch.searchsorted(time, -self.outcome.time[order.anchors], right=True)
            suffixes, own = Suffixes(backwards, start), inverse[order.anchors]
            smaller, tied = suffix_rank_counts(
                self.score.index_select(0, backwards),
                start,
                places_of(order.anchors, suffixes, self.outcome.n),
                kept[backwards],
            )
            concordant += float((own * (smaller + 0.5 * tied)).sum())
            comparable += float((own * suffix_weights(kept, suffixes)).sum())
        return concordant, comparable

    def _survival(self, drawn: Tensor, times: Tensor) -> Tensor:
        """G at those times; (replicate, grid)."""
        return censoring_survival_at(self.training, drawn, times, self.event_weight)

    def _sums(self, inverse: Tensor) -> tuple[float, float]:
        """Weight of the concordant pairs, ties by half, and of all comparable pairs."""
        weight = self.outcome.weight
        concordant = comparable = 0.0
        for order in risk_orders(self.outcome):
            anchors, later = order.anchors, order.later
            own = inverse[anchors] if weight is None else inverse[anchors] * weight[anchors]
            smaller, tied = suffix_rank_counts(
                self.score.index_select(0, later.order),
                later.start,
                places_of(anchors, later, self.outcome.n),
                None if weight is None else weight[later.order],
            )
            concordant += float((own * (smaller + 0.5 * tied)).sum())
            comparable += float((own * suffix_weights(weight, later)).sum())
        return concordant, comparable
