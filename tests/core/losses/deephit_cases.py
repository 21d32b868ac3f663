"""What the tests of DeepHit's terms share: random cases, and the ranking term as a double loop."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from survkit.discrete import cumulative_incidence, log_pmf
from survkit.losses.deephit_ranking import RankingSettings


def double_loop(
    incidence: Tensor, interval: Tensor, event: Tensor, time: Tensor, chosen: RankingSettings
) -> Tensor:
    """Every pair written out."""
    total, pairs = incidence.new_zeros(()), 0
    last = incidence.shape[2] - 1
    for i, j in product(range(len(event)), repeat=2):
        later = time[i] < time[j]
        if chosen.tie_rule == "censored-later":
            later = later | ((time[i] == time[j]) & (event[j] == 0))
        if event[i] == 0 or not later:
            continue
        pairs += 1
        cause, t = int(event[i]) - 1, int(interval[i])
        at = t if chosen.rank_time == "ti" else min(int(interval[j]), last)
        total = total + torch.exp(
            -(incidence[i, cause, t] - incidence[j, cause, at]) / chosen.sigma
        )
    count = len(event)
    divisor = {"pairs": max(pairs, 1), "batch-squared": count**2, "paper": count}
    return total / divisor[chosen.normalisation]


def draw(
    count: int, causes: int, intervals: int, seed: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Random logits, intervals, event codes and durations inside their intervals."""
    generator = torch.Generator().manual_seed(seed)
    size = (count, causes * intervals + 1)
    logits = torch.randn(*size, generator=generator, dtype=torch.float64)
    event = torch.randint(0, causes + 1, (count,), generator=generator)
    interval = torch.randint(0, intervals, (count,), generator=generator)
    beyond = (event == 0) & (torch.rand(count, generator=generator) < 0.3)
    interval[beyond] = intervals
    duration = interval + torch.randint(1, 4, (count,), generator=generator) / 3
    return logits, interval, event, duration.double()


def incidence_of(logits: Tensor, causes: int, intervals: int) -> Tensor:
    """Cumulative incidence of a softmax over all outcomes."""
    return cumulative_incidence(log_pmf(logits, "pmf", causes, intervals)[0])
