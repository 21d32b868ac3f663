"""Who is at risk when: the order, tie groups and windows that a partial likelihood is a scan over.

Building it sorts, which is most of the cost of a Cox loss; full-cohort risk sets build it once and
reuse it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from survkit.losses.windows import Windows, collect, cover, cut_windows


@dataclass(frozen=True, slots=True)
class RiskSetOrder:
    """Subjects by stratum, then from the longest to the shortest duration.

    Attributes:
        order: Row of the subject at each position; int64 (batch).
        start: First position of the tie group (same stratum and duration) of each position; int64
            (batch).
        end: Last position of that tie group; int64 (batch).
        windows: Positions whose event times a subject is at risk at, from ``start`` to the last
            time after its entry in its stratum; ``None`` if there is neither entry nor strata,
            when every window reaches the end.
    """

    order: Tensor
    start: Tensor
    end: Tensor
    windows: Windows | None = None

    def risk_sum(self, values: Tensor, *, log: bool = False) -> Tensor:
        """Return per position the sum (``log``: log-sum-exp) over all at risk at its duration."""
        if self.windows is not None:
            return cover(self.windows, values, log=log)[: len(values)]
        running = values.logcumsumexp(0) if log else values.cumsum(0)
        return running.index_select(0, self.end)

    def exposure_sum(self, values: Tensor, *, log: bool = False) -> Tensor:
        """Return per subject the sum (``log``: log-sum-exp) over the positions it is at risk at."""
        if self.windows is not None:
            return collect(self.windows, values, log=log)
        reverse = values.flip(0)
        running = reverse.logcumsumexp(0) if log else reverse.cumsum(0)
        return running.flip(0).index_select(0, self.start)

    def group_sum(self, values: Tensor) -> Tensor:
        """Return per position the sum of values in its tie group."""
        totals = torch.zeros_like(values).index_add_(0, self.start, values)
        return totals.index_select(0, self.start)


def risk_set_order(
    duration: Tensor, *, entry: Tensor | None = None, strata: Tensor | None = None
) -> RiskSetOrder:
    """Sort subjects into risk sets: at risk at t are those with entry < t <= duration.

    Args:
        duration: Time of event or censoring; (batch). Ties are exact equality in float64.
        entry: Delayed entry times, < duration; (batch).
        strata: Group with its own baseline hazard; int64 (batch).
    """
    time = duration.detach().to(torch.float64)
    if entry is None and strata is None:
        order = _descending(time)
        return RiskSetOrder(order, *_tie_groups(_changes(time.index_select(0, order))))
    since = None if entry is None else entry.detach().to(torch.float64)
    if strata is None:
        order = _descending(time)
        sorted_time = time.index_select(0, order)
        changes = _changes(sorted_time)
        last = _last_after(sorted_time, since.index_select(0, order))  # type: ignore[union-attr]
    else:
        order = _lexicographic(strata, time)
        group = strata.index_select(0, order)
        changes = _changes(time.index_select(0, order)) | _changes(group)
        if since is None:
            last = torch.searchsorted(group, group, right=True) - 1
        else:
            last = _last_after_in_stratum(strata, time, since).index_select(0, order)
    start, end = _tie_groups(changes)
    return RiskSetOrder(order, start, end, cut_windows(start, last, len(time)))


def _descending(time: Tensor) -> Tensor:
    if time.device.type == "cpu":  # numpy's sort takes about half the time of torch's
        return torch.from_numpy(np.argsort(-time.numpy()))
    return torch.argsort(time, descending=True)


def _lexicographic(group: Tensor, time: Tensor) -> Tensor:
    by_time = torch.sort(time, descending=True, stable=True).indices
    return by_time[torch.sort(group.index_select(0, by_time), stable=True).indices]


def _changes(values: Tensor) -> Tensor:
    """Mark each position that differs from the one before it, and the first."""
    differs = values[1:] != values[:-1]
    return torch.cat([differs.new_ones(min(len(values), 1)), differs])


def _tie_groups(changes: Tensor) -> tuple[Tensor, Tensor]:
    """Return first and last position of each one's group, from the marks where groups begin."""
    count = len(changes)
    position = torch.arange(count, device=changes.device)
    start = torch.where(changes, position, 0)
    ends = torch.cat([changes[1:], changes.new_ones(min(count, 1))])
    end = torch.where(ends, position, count)
    if count == 0:
        return start, end
    return start.cummax(0).values, end.flip(0).cummin(0).values.flip(0)


def _last_after(sorted_time: Tensor, entry: Tensor) -> Tensor:
    """Return, per position, the last position whose duration is after the entry."""
    return len(entry) - torch.searchsorted(sorted_time.flip(0), entry, right=True) - 1


def _last_after_in_stratum(group: Tensor, time: Tensor, entry: Tensor) -> Tensor:
    """Return, per subject, the last position whose duration is after its entry, in its stratum."""
    count = len(time)
    # Entries stand before equal durations: who enters at t is not yet at risk at t.
    order = _lexicographic(torch.cat([group, group]), torch.cat([entry, time]))
    durations_before = (order >= count).cumsum(0)
    result = torch.empty_like(durations_before).scatter_(0, order, durations_before)
    return result[:count] - 1
