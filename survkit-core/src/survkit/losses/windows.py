"""Sums over windows of slots, and their adjoint, without ever subtracting one sum from another.

Subject j is at risk in a window ``[first_j, last_j]`` of slots. A likelihood needs, per slot, the
sum over the windows that cover it (:func:`cover`), and per subject the sum over the slots of its
window (:func:`collect`). A difference of cumulative sums would cancel: at a log-hazard SD of 20 it
is wrong, at 200 it is NaN.

A window of several slots is cut once, at the boundary of the largest power of two inside it: what
lies left is the end of an aligned block, what lies right is the beginning of the next. So one
prefix scan and one suffix scan of the blocks of each size (log2(n) of them) answer all windows:
exact, O(n log n), no data-dependent shapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

NEGATIVE_INFINITY = float("-inf")


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows cut into block ends.

    Attributes:
        first: First slot of each window; int64 (batch).
        last: Last slot of each window, >= ``first``; int64 (batch).
        level: log2 of twice the size of the blocks it is cut into, 0 for windows of one slot;
            int64 (batch).
        slots: Number of slots rounded up to a power of two.
    """

    first: Tensor
    last: Tensor
    level: Tensor
    slots: int

    @property
    def levels(self) -> int:
        """Number of block sizes, with 0 for windows of one slot."""
        return self.slots.bit_length()


def cut_windows(first: Tensor, last: Tensor, slots: int) -> Windows:
    """Cut the windows ``first..last`` (both inclusive) over ``slots`` slots."""
    level = torch.frexp((first ^ last).to(torch.float64)).exponent.to(torch.int64)  # bit length
    return Windows(first, last, level, 1 << max(slots - 1, 0).bit_length())


def cover(windows: Windows, values: Tensor, *, log: bool) -> Tensor:
    """Return per slot the sum (``log``: log-sum-exp) of the values of all windows that cover it.

    Args:
        windows: One per value.
        values: float64 (batch).
        log: Whether values and result are logarithms.
    """
    empty = NEGATIVE_INFINITY if log else 0.0
    to_end = values.new_full((windows.slots,), empty)
    from_start = to_end.clone()
    for level in range(windows.levels - 1, -1, -1):
        here = values.masked_fill(windows.level != level, empty)
        _scatter(to_end, windows.first, here, log=log)
        if level > 0:
            _scatter(from_start, windows.last, here, log=log)
        if level > 1:  # what reaches the end of a block covers its whole second half
            halves = to_end.view(-1, 2, 1 << (level - 2))
            halves[:, 1, 0] = _add(halves[:, 1, 0], _sum(halves[:, 0], log=log), log=log)
            halves = from_start.view(-1, 2, 1 << (level - 2))
            halves[:, 0, -1] = _add(halves[:, 0, -1], _sum(halves[:, 1], log=log), log=log)
    return _add(to_end, from_start, log=log)


def collect(windows: Windows, values: Tensor, *, log: bool) -> Tensor:
    """Return per window the sum (``log``: log-sum-exp) of the values of its slots.

    Args:
        windows: The windows.
        values: One per slot; float64 (slot), at most ``windows.slots`` of them.
        log: Whether values and result are logarithms.
    """
    empty = NEGATIVE_INFINITY if log else 0.0
    to_end = torch.nn.functional.pad(values, (0, windows.slots - len(values)), value=empty)
    from_start = to_end.clone()
    total = to_end.index_select(0, windows.first)
    for level in range(1, windows.levels):
        both = _add(
            to_end.index_select(0, windows.first), from_start.index_select(0, windows.last), log=log
        )
        total = torch.where(windows.level == level, both, total)
        if level < windows.levels - 1:  # scans of blocks twice the size
            halves = to_end.view(-1, 2, 1 << (level - 1))
            halves[:, 0] = _add(halves[:, 0], halves[:, 1, :1], log=log)
            halves = from_start.view(-1, 2, 1 << (level - 1))
            halves[:, 1] = _add(halves[:, 1], halves[:, 0, -1:], log=log)
    return total


def group_log_sum_exp(group: Tensor, values: Tensor, groups: int) -> Tensor:
    """Return per group the log-sum-exp of its values, minus infinity for an empty one; (groups)."""
    empty = values.new_full((groups,), NEGATIVE_INFINITY)
    largest = empty.scatter_reduce(0, group, values, "amax")
    shift = torch.where(largest.isinf(), torch.zeros_like(largest), largest)
    total = torch.zeros_like(shift)
    total.index_add_(0, group, (values - shift.index_select(0, group)).exp())
    # A logarithm of 0 takes fifty times as long as any other, so empty groups are left out of it.
    return torch.where(total > 0, total.clamp(min=1.0).log() + shift, NEGATIVE_INFINITY)


def _scatter(total: Tensor, slot: Tensor, values: Tensor, *, log: bool) -> None:
    """Add each value into its slot, in place."""
    if log:
        total.copy_(torch.logaddexp(total, group_log_sum_exp(slot, values, len(total))))
    else:
        total.index_add_(0, slot, values)


def _add(left: Tensor, right: Tensor, *, log: bool) -> Tensor:
    return torch.logaddexp(left, right) if log else left + right


def _sum(values: Tensor, *, log: bool) -> Tensor:
    return values.logsumexp(-1) if log else values.sum(-1)
