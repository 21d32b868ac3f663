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

from survkit.nonparametric.ordering import ascending_order, tie_bounds


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
    count = len(ranks)
    # Half-size integers and sums in place: the rounds are bound by memory.
    ranks, cursor, bound = (part.to(torch.int32) for part in (ranks, position, bound))
    element = torch.arange(count, device=ranks.device, dtype=torch.int32)
    ones_before = element.new_zeros(count + 1)
    found = torch.zeros_like(cursor)
    if weight is not None:
        found = found.to(weight.dtype)
    for bit in range(count.bit_length() - 1, -1, -1):
        half = 1 << bit
        ones = (ranks >> bit).bitwise_and_(1)
        torch.cumsum(ones, 0, dtype=torch.int32, out=ones_before[1:])
        # A node holds 2 * half consecutive ranks; all nodes before it are full, so half of their
        # elements are ones and the node starts at its first rank.
        node = bound & -(2 * half)
        ones_in = ones_before.index_select(0, cursor).sub_(node >> 1)
        zeros_in = (cursor - node).sub_(ones_in)
        right = (bound >> bit).bitwise_and_(1)
        if weight is None:
            passed = zeros_in
        else:
            sums = exclusive_sums(weight.masked_fill(ones > 0, 0.0))
            passed = sums[cursor] - sums[node]
        found.addcmul_(passed, right.to(passed.dtype))
        cursor = node.add_(zeros_in).add_(ones_in.add_(half).sub_(zeros_in).mul_(right))
        if bit == 0:
            break
        # Within its node a zero moves left past the ones, a one right past the other zeros.
        home = ranks & -(2 * half)
        ones_here = ones_before[:-1] - (home >> 1)
        left = element - ones_here
        moved = home.add_(half).add_(ones_here).sub_(left).mul_(ones).add_(left).to(torch.int64)
        ranks = torch.empty_like(ranks).scatter_(0, moved, ranks)
        if weight is not None:
            weight = torch.empty_like(weight).scatter_(0, moved, weight)
    return found.to(torch.int64) if weight is None else found


def exclusive_sums(values: Tensor) -> Tensor:
    """Sums of the first 0, 1, ... elements; one longer than ``values``."""
    sums = values.new_zeros(len(values) + 1)
    torch.cumsum(values, 0, out=sums[1:])
    return sums


def suffix_rank_counts(
    values: Tensor,
    start: Tensor,
    place: Tensor,
    weight: Tensor | None = None,
    tolerance: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Count in each suffix the values smaller than the query's own, and those tied with it.

    Args:
        values: In the order of the suffixes; (subject).
        start: First position of each query's suffix; int64 (query).
        place: Position of each query's own value, never in its own suffix; int64 (query).
        weight: Weight of each element; counts where there is none.
        tolerance: Values at most this far apart are tied.

    Returns:
        Smaller and tied, int64 or float64 with weights; (query) each.
    """
    ascending, order = ascending_order(values)
    ranks = torch.empty_like(order)
    ranks.scatter_(0, order, torch.arange(len(order), device=order.device))
    if tolerance > 0:
        own = values.index_select(0, place)
        low = torch.searchsorted(ascending, own - tolerance)
        high = torch.searchsorted(ascending, own + tolerance, right=True)
    else:
        rank = ranks.index_select(0, place)
        low, high = (bound.index_select(0, rank) for bound in tie_bounds(ascending))
    return suffix_counts_by_rank(ranks, start, (low, high), weight, own_elements=1)


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
    # Only values tied with another than the query itself need a second count, in the same walk.
    several = (high - low > own_elements).nonzero()[:, 0]
    before = prefix_counts(
        ranks,
        torch.cat([start, start.index_select(0, several)]),
        torch.cat([low, high.index_select(0, several)]),
        weight,
    )
    before_low, before_high = before[: len(low)], before[len(low) :]
    smaller = total_low - before_low
    tied = torch.zeros_like(smaller)
    if len(several):
        inside = before_high - before_low[several]
        tied[several] = total_high[several] - total_low[several] - inside
    return smaller, tied
