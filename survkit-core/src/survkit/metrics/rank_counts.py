"""How many of the subjects in a suffix have a smaller value, for every event at once, in O(n log
n).

A wavelet tree by ranks: the ranks stand in the order of the subjects; for each bit from the top,
the prefix count of ones says how many of the first p go left, and every query follows its own bit
with two look-ups. After log2 n rounds each query knows exactly how many came before it with a
smaller rank. Nothing but cumulative sums, look-ups and one scatter per round, so it runs wherever
torch does.
"""

from __future__ import annotations

import torch
from torch import Tensor


def prefix_counts(ranks: Tensor, position: Tensor, bound: Tensor, weight: Tensor | None) -> Tensor:
    """Count the elements among the first ``position`` whose rank is below ``bound``.

    Args:
        ranks: A permutation of 0..n-1; int64 (subject).
        position: 0..n; int64 (query).
        bound: 0..n; int64 (query).
        weight: Weight of each element, in the order of ``ranks``; counts where there is none.

    Returns:
        int64, or float64 with weights; (query).
    """
    element = torch.arange(len(ranks), device=ranks.device)
    cursor, found = position, torch.zeros_like(position)
    if weight is not None:
        found = found.to(weight.dtype)
    for bit in range(len(ranks).bit_length() - 1, -1, -1):
        half = 1 << bit
        ones = (ranks >> bit) & 1
        ones_before = exclusive_sums(ones)
        # A node holds 2 * half consecutive ranks; all nodes before it are full, so half of their
        # elements are ones and the node starts at its first rank.
        node = bound & -(2 * half)
        ones_in = ones_before.index_select(0, cursor) - (node >> 1)
        zeros_in = cursor - node - ones_in
        right = (bound & half).bool()
        if weight is None:
            passed = zeros_in
        else:
            sums = exclusive_sums(torch.where(ones == 1, 0.0, weight))
            passed = sums[cursor] - sums[node]
        found = found + passed * right
        cursor = node + torch.where(right, ones_in + half, zeros_in)
        home = ranks & -(2 * half)
        ones_here = ones_before[:-1] - (home >> 1)
        moved = torch.where(ones == 1, home + ones_here + half, element - ones_here)
        ranks = torch.empty_like(ranks).scatter_(0, moved, ranks)
        if weight is not None:
            weight = torch.empty_like(weight).scatter_(0, moved, weight)
    return found


def exclusive_sums(values: Tensor) -> Tensor:
    """Sums of the first 0, 1, ... elements; one longer than ``values``."""
    sums = values.new_zeros(len(values) + 1)
    torch.cumsum(values, 0, out=sums[1:])
    return sums


def suffix_rank_counts(
    values: Tensor,
    start: Tensor,
    own: Tensor,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
    own_elements: int = 0,
) -> tuple[Tensor, Tensor]:
    """Count in each suffix the values smaller than the query's own, and those tied with it.

    Args:
        values: In the order of the suffixes; (subject).
        start: First position of each query's suffix; int64 (query).
        own: Value of each query; (query).
        weight: Weight of each element; counts where there is none.
        tolerance: Values at most this far apart are tied.
        own_elements: 1 where each query is itself one of the values (never in its own suffix),
            else 0.

    Returns:
        Smaller and tied, int64 or float64 with weights; (query) each.
    """
    ascending, order = torch.sort(values)
    ranks = torch.empty_like(order)
    ranks.scatter_(0, order, torch.arange(len(order), device=order.device))
    low = torch.searchsorted(ascending, own - tolerance)
    high = torch.searchsorted(ascending, own + tolerance, right=True)
    return suffix_counts_by_rank(ranks, start, (low, high), weight, own_elements)


def suffix_counts_by_rank(
    ranks: Tensor,
    start: Tensor,
    bounds: tuple[Tensor, Tensor],
    weight: Tensor | None,
    own_elements: Tensor | int = 0,
) -> tuple[Tensor, Tensor]:
    """Count in each suffix the ranks below the lower bound, and those from it to below the upper.

    Args:
        ranks: A permutation of 0..n-1 in the order of the suffixes; int64 (subject).
        start: First position of each query's suffix; int64 (query).
        bounds: Lower and upper rank; int64 (query) each.
        weight: In the order of ``ranks``; counts where there is none.
        own_elements: How many elements between the bounds are known to stand before the suffix.
    """
    low, high = bounds
    total_low, total_high = low, high
    if weight is not None:
        by_rank = torch.empty_like(weight).scatter_(0, ranks, weight)
        sums = exclusive_sums(by_rank)
        total_low, total_high = sums[low], sums[high]
    before_low = prefix_counts(ranks, start, low, weight)
    smaller = total_low - before_low
    # Only values tied with another than the query itself need the second walk.
    several = (high - low > own_elements).nonzero()[:, 0]
    tied = torch.zeros_like(smaller)
    if len(several):
        before_high = prefix_counts(ranks, start[several], high[several], weight)
        inside = before_high - before_low[several]
        tied[several] = total_high[several] - total_low[several] - inside
    return smaller, tied
