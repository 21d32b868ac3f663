"""Which subjects can be compared: the pairs under every concordance.

A pair (i, j) is comparable where i has the event and j is known to have had no event of that cause
by then: t_i < t_j, or t_i = t_j and j is censored (events come before censorings at tied
durations). With delayed entry j must have entered before t_i; with strata both must be in the same
one.

In an order by time the partners of every event are a suffix, and those who enter too late are a
suffix of the order by entry: all counting is done on such suffixes, in O(n log n).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Undefined
from survkit.nonparametric.observations import check_target
from survkit.nonparametric.ordering import ascending_order, tie_bounds

Competing = Literal["censored", "at-risk"]
"""What a competing event means for later pairs. ``"censored"``: the subject leaves as if censored,
which asks about the cause-specific hazard. ``"at-risk"``: it can never have the event of interest,
so it stays comparable with every event, also earlier than which it left (Wolbers and others,
2014)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A checked target as pairs see it; one entry per subject.

    Attributes:
        time: Until when the subject is a possible partner; infinite where a competing event keeps
            it at risk.
        observed: It has the event of the cause; bool.
        anchor: It has that event by tau, so that pairs start from it; bool.
        entry: Delayed entry time, where there is one.
        weight: Case weight, where there is one; a pair weighs the product.
        strata: Stratum, where there is one.
    """

    time: Tensor
    observed: Tensor
    anchor: Tensor
    entry: Tensor | None
    weight: Tensor | None
    strata: Tensor | None

    @property
    def n(self) -> int:
        """Number of subjects."""
        return len(self.time)

    @property
    def events(self) -> int:
        """Number of events that pairs start from."""
        return int(self.anchor.sum())


@dataclass(frozen=True, slots=True)
class Suffixes:
    """The partners of event k are ``order[start[k]:]``.

    Attributes:
        order: Rows of subjects; int64 (subject).
        start: int64 (event).
    """

    order: Tensor
    start: Tensor


@dataclass(frozen=True, slots=True)
class RiskOrder:
    """The comparable pairs of one stratum, for counting.

    Attributes:
        anchors: Rows of the events that pairs start from, by time; int64 (event).
        later: Everybody still event-free after the event, tied censorings included.
        after: The same without those tied censorings.
        entering: Those among ``later`` who enter too late, to be taken off again; ``None`` without
            entry.
        rows: The stratum's subjects; int64 (subject).
    """

    anchors: Tensor
    later: Suffixes
    after: Suffixes
    entering: Suffixes | None
    rows: Tensor


def outcome_of(
    target: SurvivalTarget, *, cause: int, tau: float | None, competing: Competing
) -> Outcome:
    """Check the target and say what it means for pairs of one cause.

    Raises:
        DataError: An unusable target, cause, tau or word for competing events.
    """
    checked = check_target(target)
    if isinstance(cause, bool) or not isinstance(cause, int) or cause < 1:
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    if tau is not None and not tau > 0:
        raise DataError(f"tau must be a positive time, not {tau}")
    if competing not in ("censored", "at-risk"):
        raise DataError(f'competing must be "censored" or "at-risk", not {competing!r}')
    observed = checked.event == cause
    time = checked.duration
    if competing == "at-risk":
        time = torch.where((checked.event > 0) & ~observed, torch.inf, time)
    anchor = observed if tau is None else observed & (time <= tau)
    return Outcome(time, observed, anchor, checked.entry, checked.weight, checked.strata)


def outcome_without_events(outcome: Outcome) -> Undefined | None:
    """Say that pairs are impossible for want of events, if so."""
    if outcome.events > 0:
        return None
    return Undefined("nobody has the event in the time asked about", outcome.n, 0)


def comparable_block(outcome: Outcome, anchors: Tensor) -> Tensor:
    """Whether each subject is a partner of each of the given events; bool (subject, event)."""
    at = outcome.time[anchors]
    time = outcome.time[:, None]
    mask = (time > at) | ((time == at) & ~outcome.observed[:, None])
    if outcome.entry is not None:
        mask &= outcome.entry[:, None] < at
    if outcome.strata is not None:
        mask &= outcome.strata[:, None] == outcome.strata[anchors]
    return mask


def risk_orders(outcome: Outcome) -> Iterator[RiskOrder]:
    """Order every stratum that has an event."""
    everybody = torch.arange(outcome.n, device=outcome.time.device)
    if outcome.strata is None:
        yield _risk_order(outcome, everybody)
        return
    for stratum in torch.unique(outcome.strata[outcome.anchor]):
        yield _risk_order(outcome, everybody[outcome.strata == stratum])


def _risk_order(outcome: Outcome, rows: Tensor) -> RiskOrder:
    by_time, order = ascending_order(outcome.time.index_select(0, rows))
    order = rows.index_select(0, order)
    first, after = tie_bounds(by_time)
    later = after
    if bool((after - first > 1).any()):
        order, later = _events_first(outcome.observed.index_select(0, order), order, first, after)
    anchors = outcome.anchor.index_select(0, order).nonzero()[:, 0]
    entering = None
    if outcome.entry is not None:
        by_entry, entry_order = ascending_order(outcome.entry[rows])
        start = torch.searchsorted(by_entry, by_time[anchors])
        entering = Suffixes(rows[entry_order], start)
    return RiskOrder(
        order.index_select(0, anchors),
        Suffixes(order, later.index_select(0, anchors)),
        Suffixes(order, after.index_select(0, anchors)),
        entering,
        rows,
    )


def _events_first(
    observed: Tensor, order: Tensor, first: Tensor, after: Tensor
) -> tuple[Tensor, Tensor]:
    """Order the rows so that within a tie events precede censorings, and where the latter start."""
    events_before = torch.cat([after.new_zeros(1), observed.cumsum(0)])
    earlier_events = events_before.index_select(0, first)
    later = first + events_before.index_select(0, after) - earlier_events
    events_in_tie = events_before[:-1] - earlier_events
    place = torch.arange(len(order), device=order.device)
    place = torch.where(observed, first + events_in_tie, later + (place - first) - events_in_tie)
    return torch.empty_like(order).scatter_(0, place, order), later


def places_of(rows: Tensor, suffixes: Suffixes, subjects: int) -> Tensor:
    """Position of each row in the order of the suffixes, among as many subjects; int64 (row)."""
    place = torch.empty(subjects, dtype=torch.int64, device=rows.device)
    ordered = torch.arange(len(suffixes.order), device=rows.device)
    return place.scatter_(0, suffixes.order, ordered).index_select(0, rows)


def suffix_weights(weight: Tensor | None, suffixes: Suffixes) -> Tensor:
    """Weight of each suffix: (..., event) of weights (..., subject); counts without weights."""
    if weight is None:
        return len(suffixes.order) - suffixes.start
    ordered = weight[..., suffixes.order]
    sums = torch.cat([torch.zeros_like(ordered[..., :1]), ordered.cumsum(-1)], dim=-1)
    return sums[..., -1:] - sums[..., suffixes.start]


def pair_weight(pairs: Tensor, anchors: Tensor, weight: Tensor | None) -> float:
    """Total weight of the pairs that a boolean (subject, event) matrix marks."""
    if weight is None:
        return float(torch.count_nonzero(pairs))
    return float((weight @ pairs.to(weight.dtype)) @ weight[anchors])
