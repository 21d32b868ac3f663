"""Pair counts of events that compare predictions in one column and so have nested suffixes.

What the suffixes of a column share, the tail, is counted for all its events at once, whatever their
times. What lies between their starts, the head, is counted by ranks, the heads of all columns in
one walk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.metrics.rank_counts import exclusive_sums, suffix_counts_by_rank
from survkit.metrics.tail_counts import tail_counts
from survkit.nonparametric.ordering import ascending_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnEvents:
    """Events grouped by column, within it by time; tensors are (event).

    Attributes:
        column: int64.
        sizes: Number of events of each column in turn.
        own: The event's own value in its column.
        start: Where its suffix starts, never decreasing within a column; int64.
        place: Its own position in the order of the suffixes, before ``start``; int64.
        weight: Its case weight, where there is one.
    """

    column: Tensor
    sizes: list[int]
    own: Tensor
    start: Tensor
    place: Tensor
    weight: Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedColumn:
    """One column of predictions, cut to the suffix of its earliest event.

    Attributes:
        values: In the order of the suffixes; (partner).
        own: The events' own values; (event).
        start: Where each event's suffix starts within ``values``; int64 (event).
        head: Length of the part between the first and the last start.
        place: The event's own position, negative if before the cut; int64 (event).
        weight: In the order of ``values``; (partner).
        own_weight: (event).
    """

    values: Tensor
    own: Tensor
    start: Tensor
    head: int
    place: Tensor
    weight: Tensor | None
    own_weight: Tensor | None


def shared_columns(
    values: Tensor, events: ColumnEvents, order: Tensor, weight: Tensor | None
) -> Iterator[SharedColumn]:
    """Cut each column that has events.

    Args:
        values: (subject, grid).
        events: Grouped by column.
        order: Rows in the order of the suffixes; int64 (partner).
        weight: Case weights; (subject).
    """
    ordered = values.index_select(0, order)  # whole rows at once: columns are then read in order
    by_order = None if weight is None else weight.index_select(0, order)
    ends = torch.tensor(events.sizes).cumsum(0)
    begins = (ends - torch.tensor(events.sizes)).to(order.device)
    columns = events.column[begins].tolist()
    firsts, lasts = events.start[begins].tolist(), events.start[ends.to(order.device) - 1].tolist()
    parts = (torch.split(part, events.sizes) for part in (events.own, events.start, events.place))
    weights: Iterator[Tensor | None] = iter([None] * len(columns))
    if events.weight is not None:
        weights = iter(torch.split(events.weight, events.sizes))
    for column, first, last, own, start, place in zip(columns, firsts, lasts, *parts, strict=True):
        yield SharedColumn(
            values=ordered[first:, column].contiguous(),
            own=own,
            start=start - first,
            head=last - first,
            place=place - first,
            weight=None if by_order is None else by_order[first:],
            own_weight=next(weights),
        )


def tail_weights(column: SharedColumn) -> tuple[float, float]:
    """Weigh the pairs of all events with the subjects after the last start: smaller and tied."""
    tail = column.values[column.head :]
    if column.weight is None or column.own_weight is None:
        return tail_counts(tail, column.own)
    ascending, order = ascending_order(tail)
    sums = exclusive_sums(column.weight[column.head :].index_select(0, order))
    low = sums[torch.searchsorted(ascending, column.own)]
    high = sums[torch.searchsorted(ascending, column.own, right=True)]
    return float(low @ column.own_weight), float((high - low) @ column.own_weight)


def head_weights(columns: list[SharedColumn]) -> tuple[float, float]:
    """Count all heads in one walk: laid end to end, the ranks of a head below the next one's."""
    columns = [column for column in columns if column.head > 0]
    if not columns:
        return 0.0, 0.0
    orders, starts, lows, highs, own_elements = [], [], [], [], []
    offset = 0
    for column in columns:
        ascending, order = ascending_order(column.values[: column.head])
        orders.append(order + offset)
        starts.append(column.start + offset)
        lows.append(torch.searchsorted(ascending, column.own) + offset)
        highs.append(torch.searchsorted(ascending, column.own, right=True) + offset)
        own_elements.append((column.place >= 0) & (column.place < column.head))
        offset += column.head
    by_rank = torch.cat(orders)
    ranks = torch.empty_like(by_rank)
    ranks.scatter_(0, by_rank, torch.arange(offset, device=ranks.device))
    weights = [column.weight[: column.head] for column in columns if column.weight is not None]
    own_weights = [column.own_weight for column in columns if column.own_weight is not None]
    smaller, tied = suffix_counts_by_rank(
        ranks,
        torch.cat(starts),
        (torch.cat(lows), torch.cat(highs)),
        torch.cat(weights) if weights else None,
        torch.cat(own_elements),
    )
    if own_weights:
        own_weight = torch.cat(own_weights)
        return float(smaller @ own_weight), float(tied @ own_weight)
    return float(smaller.sum()), float(tied.sum())
