"""Pair counts of few subjects: everybody is compared with everybody, without sorting predictions.

For a few hundred subjects the fixed cost of each tensor operation decides, so on a CPU this works
on the same memory through numpy, whose calls cost a fifth.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from torch import Tensor

from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pairs import Outcome

PARTS = 4
"""Events are cut into so many parts by time; later parts are compared with later subjects only."""


def is_plain(outcome: Outcome) -> bool:
    """Whether pairs need nothing but times: no entry, weights or strata, on a CPU."""
    fields = (outcome.entry, outcome.weight, outcome.strata)
    return outcome.time.device.type == "cpu" and all(field is None for field in fields)


def matrix_counts(values: Tensor, column: Tensor, outcome: Outcome) -> PairCounts:
    """Count pairs of predictions (batch, grid), each event comparing in its own column.

    Args:
        values: Predictions; (batch, grid).
        column: Each subject's column; int64 (batch).
        outcome: A plain outcome, see :func:`is_plain`.
    """
    time, observed = outcome.time.numpy(), outcome.observed.numpy()
    order = np.lexsort((~observed, time))
    by_time, is_event = time[order], observed[order]
    events_before = np.concatenate([[0], is_event.cumsum()])
    anchors = np.flatnonzero(outcome.anchor.numpy()[order])
    first = by_time.searchsorted(by_time[anchors])
    after = by_time.searchsorted(by_time[anchors], side="right")
    start = first + events_before[after] - events_before[first]
    rows = np.ascontiguousarray(values.numpy().T[:, order])
    columns = column.numpy()[order[anchors]]
    place = np.arange(len(order), dtype=np.int32)
    counts = PairCounts(0.0, 0.0, float(len(anchors) * len(order) - start.sum()))
    for part in np.array_split(np.arange(len(anchors)), PARTS):
        if len(part):
            counts += _compare(rows, columns[part], anchors[part], start[part], place)
    return counts


def _compare(rows: Any, columns: Any, anchors: Any, start: Any, place: Any) -> PairCounts:
    """Compare some events, which are in order of time, with everybody after the first of them."""
    begin = start[0]
    partner = place[begin:] >= start[:, None].astype(np.int32)
    block = rows[columns, begin:] if begin else rows[columns]
    own = rows[columns, anchors][:, None]
    smaller = np.count_nonzero((block < own) & partner)
    return PairCounts(float(smaller), float(np.count_nonzero((block == own) & partner)), 0.0)
