"""Pair counts where each event compares predictions at its own time: one column of a matrix.

Events that share a column (a time grid) have nested suffixes. What all of them share, the tail, is
sorted once and searched; what lies between their starts, the heads of all columns, is counted by
ranks in one walk. Columns of few events are compared directly, in blocks of bounded size.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.metrics.pairs import Suffixes, pair_weight
from survkit.metrics.rank_counts import exclusive_sums, suffix_counts_by_rank

FEW_EVENTS = 8
"""Up to this many events of a column, direct comparison is faster than sorting the column."""

SMALL_CELLS = 2**18
"""Up to this many (subject, event) cells, one direct comparison of everything is fastest."""


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
    heads = []
    place = torch.full_like(values[:, 0], -1, dtype=torch.int64)
    place[suffixes.order] = torch.arange(len(suffixes.order), device=place.device)
    for events in torch.split(order, sizes.tolist()):
        if len(events) > FEW_EVENTS:
            shared = _SharedColumn.cut(
                values[:, int(column[events[0]])],
                anchors[events],
                _at(suffixes, events),
                place,
                weight,
            )
            more = shared.tail_weights()
            smaller, tied = smaller + more[0], tied + more[1]
            if shared.head > 0:
                heads.append(shared)
    more = _head_weights(heads)
    return smaller + more[0], tied + more[1]


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


@dataclass(frozen=True, slots=True)
class _SharedColumn:
    """One column of predictions, cut to the suffix of its earliest event.

    Attributes:
        values: In the order of the suffixes; (partner).
        own: The events' own values; (event).
        start: Where each event's suffix starts within ``values``; int64 (event).
        head: Length of the part between the first and the last start.
        own_in_head: 1 where the event itself is in the head, before its own suffix; (event).
        weight: In the order of ``values``; (partner).
        own_weight: (event).
    """

    values: Tensor
    own: Tensor
    start: Tensor
    head: int
    own_in_head: Tensor
    weight: Tensor | None
    own_weight: Tensor | None

    @classmethod
    def cut(
        cls,
        column: Tensor,
        anchors: Tensor,
        suffixes: Suffixes,
        place: Tensor,
        weight: Tensor | None,
    ) -> _SharedColumn:
        first, last = int(suffixes.start[0]), int(suffixes.start[-1])
        own_place = place.index_select(0, anchors)
        rows = suffixes.order[first:]
        return cls(
            values=column.index_select(0, rows),
            own=column.index_select(0, anchors),
            start=suffixes.start - first,
            head=last - first,
            own_in_head=((own_place >= first) & (own_place < last)).to(torch.int64),
            weight=None if weight is None else weight.index_select(0, rows),
            own_weight=None if weight is None else weight.index_select(0, anchors),
        )

    def tail_weights(self) -> tuple[float, float]:
        """Sort the tail once, and search it for all events of the column."""
        tail = self.values[self.head :]
        if self.weight is None or self.own_weight is None:
            ascending, own = _ascending(tail), _ascending(self.own)  # only the sums are asked
            low = int(torch.searchsorted(ascending, own).sum())
            return low, int(torch.searchsorted(ascending, own, right=True).sum()) - low
        ascending, order = torch.sort(tail)
        sums = exclusive_sums(self.weight[self.head :][order])
        low_weight = sums[torch.searchsorted(ascending, self.own)]
        high_weight = sums[torch.searchsorted(ascending, self.own, right=True)]
        return (
            float(low_weight @ self.own_weight),
            float((high_weight - low_weight) @ self.own_weight),
        )


def _ascending(values: Tensor) -> Tensor:
    """Sort; on a CPU by numpy, which needs half the time of torch since it keeps no order."""
    if values.device.type == "cpu":
        array = values.numpy().copy()
        array.sort()
        return torch.from_numpy(array)
    return torch.sort(values).values


def _head_weights(columns: list[_SharedColumn]) -> tuple[float, float]:
    """Count all heads in one walk: laid end to end, the ranks of a head below the next one's."""
    if not columns:
        return 0.0, 0.0
    ranks, starts, lows, highs = [], [], [], []
    offset = 0
    for column in columns:
        ascending, order = torch.sort(column.values[: column.head])
        rank = torch.empty_like(order)
        rank[order] = torch.arange(offset, offset + column.head, device=order.device)
        ranks.append(rank)
        starts.append(column.start + offset)
        lows.append(torch.searchsorted(ascending, column.own) + offset)
        highs.append(torch.searchsorted(ascending, column.own, right=True) + offset)
        offset += column.head
    weights = [column.weight[: column.head] for column in columns if column.weight is not None]
    own_weights = [column.own_weight for column in columns if column.own_weight is not None]
    smaller, tied = suffix_counts_by_rank(
        torch.cat(ranks),
        torch.cat(starts),
        (torch.cat(lows), torch.cat(highs)),
        torch.cat(weights) if weights else None,
        torch.cat([column.own_in_head for column in columns]),
    )
    if own_weights:
        own_weight = torch.cat(own_weights)
        return float(smaller @ own_weight), float(tied @ own_weight)
    return float(smaller.sum()), float(tied.sum())
