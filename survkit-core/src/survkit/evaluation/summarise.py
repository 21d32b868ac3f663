"""From the replicates of a statistic to an estimate with its interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from survkit.evaluation.part import Part, Statistic
from survkit.evaluation.resampling import Units
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined

SMALLEST_SHARE = 0.9
"""An interval needs this share of replicates to have a value; fewer would show only lucky ones."""


def summarise(
    statistic: Statistic,
    parts: Sequence[Part],
    *,
    level: float,
    method: str,
    of: str = "subjects",
) -> Result:
    """Average the statistic over parts (repeats) and take percentiles of its replicates.

    Args:
        statistic: Of one part, one value per replicate.
        parts: The same subjects in every repeat; not empty.
        level: Coverage of the interval.
        method: What is estimated, in words.
        of: What was resampled, in words.
    """
    replicates = mean_of_parts(statistic, parts)
    if isinstance(replicates, Undefined):
        return replicates
    interval, note = percentiles(replicates[1:].numpy(), level, of)
    words = method_of(method, parts) + note
    return Estimate(float(replicates[0]), interval, words, subjects_of(parts), parts[0].events)


def mean_of_parts(statistic: Statistic, parts: Sequence[Part]) -> Tensor | Undefined:
    """Average a statistic over parts, replicate by replicate, or give the first reason."""
    values = []
    for part in parts:
        found = statistic(part)
        if isinstance(found, Undefined):
            return found
        values.append(found)
    return torch.stack(values).mean(dim=0)


def subjects_of(parts: Sequence[Part]) -> int:
    """Return how many different subjects the parts hold."""
    rows = np.concatenate([part.rows for part in parts])
    return len(np.unique(parts[0].predictions.subject[rows]))


def units_among(parts: Sequence[Part], units: Units) -> int:
    """Return how many different units the parts hold."""
    return units.among(np.concatenate([part.rows for part in parts]))


def method_of(label: str, parts: Sequence[Part]) -> str:
    """Say what is estimated and over how many repeats it is averaged."""
    return label if len(parts) == 1 else f"{label}; mean of {len(parts)} repeats"


def percentiles(replicates: np.ndarray, level: float, of: str) -> tuple[Interval | None, str]:
    """Percentile interval (Efron & Tibshirani 1993, chapter 13) and what to say about it."""
    if not len(replicates):
        return None, ""
    known = replicates[np.isfinite(replicates)]
    if len(known) < max(2.0, SMALLEST_SHARE * len(replicates)):
        return None, f"; no interval: undefined in {len(replicates) - len(known)} resamples"
    lower, upper = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    if lower == upper:  # nothing varied, for example no event at all: not a certainty
        return None, "; no interval: every resample gives the same value"
    note = f"; percentile bootstrap over {of}, {len(replicates)} resamples"
    if len(known) < len(replicates):
        note += f", undefined in {len(replicates) - len(known)}"
    return Interval(float(lower), float(upper), level), note
