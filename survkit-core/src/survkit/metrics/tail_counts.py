"""How many values are smaller than each query's own, summed over all queries: no order is kept.

Only values near a query need sorting. A map onto bins that never decreases says of a value in a
lower bin that it is smaller; values that share a bin with a query are sorted and searched. The
result is exact whatever the map: should all values share one bin, all are sorted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

BINS_PER_QUERY = 16
"""About one value in so many shares a bin with a query."""

MOST_BINS = 2**16
"""More bins do not fit the cache."""

SMALLEST_SPREAD = 1e-30
"""Below it the scale of the bins could overflow float32."""


def tail_counts(values: Tensor, own: Tensor) -> tuple[int, int]:
    """Count the pairs of a value and a query in which the value is smaller, and the tied ones.

    Args:
        values: Finite; (partner).
        own: Value of each query, finite, of the same dtype; (query).
    """
    if not len(values) or not len(own):
        return 0, 0
    if values.device.type != "cpu":
        ascending = torch.sort(values).values
        low = int(torch.searchsorted(ascending, own).sum())
        return low, int(torch.searchsorted(ascending, own, right=True).sum()) - low
    queries = np.sort(own.numpy())  # sorted queries are searched three times as fast
    below, near = _split_by_bins(values.numpy(), queries)
    near.sort()
    low = near.searchsorted(queries)
    smaller = below + int(low.sum())
    if not len(near) or not (near.take(low, mode="clip") == queries).any():
        return smaller, 0
    return smaller, int((near.searchsorted(queries, side="right") - low).sum())


def _split_by_bins(values: Any, queries: Any) -> tuple[int, Any]:
    """Count the pairs settled by their bins, and copy the values that share a bin with a query."""
    bins = min(BINS_PER_QUERY * len(queries), MOST_BINS)
    lowest, highest = values.min(), values.max()
    spread = float(highest) - float(lowest)
    if len(values) <= bins or spread < SMALLEST_SPREAD:
        return 0, values.copy()
    scale = (bins - 1) / spread
    bin_of_value = ((values - lowest) * scale).astype(np.int32)
    bin_of_query = ((queries - lowest) * scale).clip(0, bins - 1).astype(np.int32)
    has_query = np.zeros(bins, dtype=np.bool_)
    has_query[bin_of_query] = True
    near = values[has_query.take(bin_of_value)]
    settled = np.bincount(bin_of_value, minlength=bins)
    settled[bin_of_query] = 0
    return int(settled.cumsum().take(bin_of_query).sum()), near
