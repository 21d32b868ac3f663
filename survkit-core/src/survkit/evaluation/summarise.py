"""From the replicates of a statistic to an estimate with its interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined

Statistic = Callable[[Part], Tensor | Undefined]
"""Value (row 0) and bootstrap replicates of a part; NaN where a replicate has no value."""

SMALLEST_SHARE = 0.9
"""An interval needs this share of replicates to have a value; fewer would show only lucky ones."""


def summarise(statistic: Statistic, parts: Sequence[Part], *, level: float, method: str) -> Result:
    """Average the statistic over parts (repeats) and take percentiles of its replicates.

    Args:
        statistic: Of one part.
        parts: The same subjects in every repeat; not empty.
        level: Coverage of the interval.
        method: What is estimated, in words.
    """
    values = []
    for part in parts:
        found = statistic(part)
        if isinstance(found, Undefined):
            return found
        values.append(found)
    replicates = torch.stack(values).mean(dim=0).numpy()
    subjects = {name for part in parts for name in part.predictions.subject[part.rows]}
    words = method if len(parts) == 1 else f"{method}; mean of {len(parts)} repeats"
    interval, note = _percentiles(replicates[1:], level)
    return Estimate(float(replicates[0]), interval, words + note, len(subjects), parts[0].events)


def _percentiles(replicates: np.ndarray, level: float) -> tuple[Interval | None, str]:
    """Percentile interval (Efron & Tibshirani 1993, chapter 13) and what to say about it."""
    if not len(replicates):
        return None, ""
    known = replicates[np.isfinite(replicates)]
    if len(known) < max(2.0, SMALLEST_SHARE * len(replicates)):
        return None, f"; no interval: undefined in {len(replicates) - len(known)} resamples"
    lower, upper = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    if lower == upper:  # nothing varied, for example no event at all: not a certainty
        return None, "; no interval: every resample gives the same value"
    note = f"; percentile bootstrap over subjects, {len(replicates)} resamples"
    if len(known) < len(replicates):
        note += f", undefined in {len(replicates) - len(known)}"
    return Interval(float(lower), float(upper), level), note
