"""Pair counts where every event compares predictions at its own time: one column of a matrix per
event.

Events that share a column (a time grid) have nested suffixes. What all of them share, the tail, is
sorted once and searched; what lies between their starts, the head, is compared directly, or
counted by ranks where it is large. Columns of few events are compared directly, in blocks of
bounded size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.metrics.pairs import Suffixes, pair_weight
from survkit.metrics.rank_counts import suffix_rank_counts

FEW_EVENTS = 8
"""Up to this many events of a column, direct comparison is faster than sorting the column."""

SMALL_CELLS = 2**18
"""Up to this many (subject, event) cells, one direct comparison of everything is fastest."""

HEAD_CELLS = 2**20
"""Up to this many cells the head of a column is compared directly."""


def column_pair_weights(
    values: Tensor, column: Tensor, anchors: Tensor, suffixes: Suffixes, weight: Tensor | None
) -> tuple[float, float]:
    """Weigh the pairs of each event with the subjects of its suffix.

    Args:
        values: (subject, grid).
        column: The column each event compares in; int64 (event).
        anchors: Rows of the events, by time; int64 (event).
        suffixes: The partners of each event, starts never decreasing.
        weight: Case weights; (subject).

    Returns:
        Weight of the pairs in which the partner's value is smaller, and of those in which it is
        tied.
    """
    if len(values) * len(anchors) <= SMALL_CELLS:
        return _direct(values, column, anchors, suffixes, weight)
    grouped, order = torch.sort(column, stable=True)
    sizes = torch.unique_consecutive(grouped, return_counts=True)[1]
    few = sizes.repeat_interleave(sizes) <= FEW_EVENTS
    smaller, tied = _direct(
        values, grouped[few], anchors[order[few]], _at(suffixes, order[few]), weight
    )
    for events in torch.split(order, sizes.tolist()):
        if len(events) > FEW_EVENTS:
            one = values[:, int(column[events[0]])].contiguous()
            more = _shared_column(one, anchors[events], _at(suffixes, events), weight)
            smaller, tied = smaller + more[0], tied + more[1]
    return smaller, tied


def _at(suffixes: Suffixes, events: Tensor) -> Suffixes:
    return Suffixes(suffixes.order, suffixes.start[events])


def _direct(
    values: Tensor, column: Tensor, anchors: Tensor, suffixes: Suffixes, weight: Tensor | None
) -> tuple[float, float]:
    """Compare every event with its whole suffix, a block of events at a time."""
    size = max(1, 2 * SMALL_CELLS // len(values))
    position = torch.full_like(values[:, 0], -1, dtype=torch.int64)  # -1: in another stratum
    position[suffixes.order] = torch.arange(len(suffixes.order), device=position.device)
    smaller, tied = 0.0, 0.0
    for events in torch.split(torch.arange(len(anchors), device=anchors.device), size):
        block = values.index_select(1, column[events])
        rows = anchors[events]
        own = block[rows, torch.arange(len(events), device=rows.device)]
        partner = position[:, None] >= suffixes.start[events]
        smaller += pair_weight((block < own) & partner, rows, weight)
        tied += pair_weight((block == own) & partner, rows, weight)
    return smaller, tied


def _shared_column(
    values: Tensor, anchors: Tensor, suffixes: Suffixes, weight: Tensor | None
) -> tuple[float, float]:
    """Sort the tail once for all events of the column, and count the head."""
    own = values[anchors]
    first, last = int(suffixes.start[0]), int(suffixes.start[-1])
    rows = suffixes.order[first:]
    ordered = values[rows]
    ordered_weight = None if weight is None else weight[rows]
    head = last - first
    smaller, tied = _tail(
        ordered[head:], own, None if ordered_weight is None else ordered_weight[head:]
    )
    if head > 0:
        more = _head(
            ordered[:head],
            suffixes.start - first,
            own,
            None if ordered_weight is None else ordered_weight[:head],
        )
        smaller, tied = smaller + more[0], tied + more[1]
    if weight is not None:
        smaller, tied = smaller * weight[anchors], tied * weight[anchors]
    return float(smaller.sum()), float(tied.sum())


def _tail(values: Tensor, own: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    if weight is None:
        ascending = _ascending(values)
        low = torch.searchsorted(ascending, own)
        return low, torch.searchsorted(ascending, own, right=True) - low
    ascending, order = torch.sort(values)
    sums = torch.cat([weight.new_zeros(1), weight[order].cumsum(0)])
    low = sums[torch.searchsorted(ascending, own)]
    return low, sums[torch.searchsorted(ascending, own, right=True)] - low


def _ascending(values: Tensor) -> Tensor:
    """Sort; on a CPU by numpy, which needs half the time of torch since it keeps no order."""
    if values.device.type == "cpu":
        array = values.numpy().copy()
        array.sort()
        return torch.from_numpy(array)
    return torch.sort(values).values


def _head(
    values: Tensor, start: Tensor, own: Tensor, weight: Tensor | None
) -> tuple[Tensor, Tensor]:
    if len(values) * len(own) > HEAD_CELLS:
        return suffix_rank_counts(values, start, own, weight)
    place = torch.arange(len(values), device=values.device)
    partner = place >= start[:, None]
    smaller = (values < own[:, None]) & partner
    tied = (values == own[:, None]) & partner
    if weight is None:
        return smaller.sum(dim=1), tied.sum(dim=1)
    return smaller.to(weight.dtype) @ weight, tied.to(weight.dtype) @ weight
