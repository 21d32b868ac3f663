"""Whether any two subjects can be put in order by what was observed of them up to the horizon."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from survkit.data import Cohort
from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_concordance


def has_horizon_pair(
    cohort: Cohort, rows: Sequence[int], horizon: float, *, cause: int | None = None
) -> bool:
    """Whether any two of the subjects can be compared up to the horizon.

    Args:
        cohort: Read with its outcome.
        rows: Positions of the subjects.
        horizon: Events after it start no pair.
        cause: Code of the event that starts a pair; any where ``None``.
    """
    target = cohort.target(rows)
    scores = torch.zeros(len(rows), dtype=torch.float64)
    causes = range(1, len(cohort.causes) + 1) if cause is None else (cause,)
    found = [harrell_concordance(scores, target, cause=one, tau=horizon) for one in causes]
    return any(isinstance(result, Estimate) for result in found)
