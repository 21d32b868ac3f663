"""Pair counts where each event compares predictions at its own time: one column of a matrix.

Events that share a column (a time grid) have nested suffixes and are counted by sorting. Columns of
few events are compared directly, in blocks of bounded size.
"""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.metrics.pairs import Suffixes, pair_weight, places_of
from survkit.metrics.shared_columns import ColumnEvents, head_weights, shared_columns, tail_weights
from survkit.nonparametric.ordering import order_of_codes

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
    smaller, tied = 0.0, 0.0
    order = order_of_codes(column, values.shape[1])
    grouped = column.index_select(0, order)
    sizes = torch.unique_consecutive(grouped, return_counts=True)[1]
    few = (sizes <= FEW_EVENTS).repeat_interleave(sizes)
    if bool(few.any()):
        alone = order[few]
        start = Suffixes(suffixes.order, suffixes.start[alone])
        smaller, tied = _direct(values, grouped[few], anchors[alone], start, weight)
    many = order[~few]
    if len(many):
        rows = anchors.index_select(0, many)
        events = ColumnEvents(
            column=column.index_select(0, many),
            sizes=sizes[sizes > FEW_EVENTS].tolist(),
            own=values[rows, column.index_select(0, many)],
            start=suffixes.start.index_select(0, many),
            place=places_of(rows, suffixes, len(values)),
            weight=None if weight is None else weight.index_select(0, rows),
        )
        columns = list(shared_columns(values, events, suffixes.order, weight))
        more = [tail_weights(column) for column in columns] + [head_weights(columns)]
        smaller += sum(pair[0] for pair in more)
        tied += sum(pair[1] for pair in more)
    return smaller, tied


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
