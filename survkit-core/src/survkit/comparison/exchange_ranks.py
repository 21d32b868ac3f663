"""What is exchanged when two models' predictions of a subject are swapped.

A concordance asks for the order of predictions alone, and each model's order is that of its own
scale: log hazards of one lie between -2 and 2, probabilities of another between 0 and 1. To swap
the numbers themselves would mix the scales, and the null distribution would be about the scales
instead of about the order. So ranks are exchanged: within each group of subjects that is ordered
together predictions become (rank - 1/2) / size, ties sharing their mean rank. No concordance
changes by it.

Simulated, 100 subjects, two equally good models, nominal 5%: with the scores as they are the test
rejects in 4% where both have one scale, in 1% where one is shrunk to a fifth, and never where they
also correlate by 0.95; with ranks in 4 to 5% every time.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

Exchange = Literal["ranks", "values"]
"""``"values"`` swaps the predictions as they are, as Paolo and others (2026) do with probabilities
of equally scaled models."""


def scaled_ranks(
    values: NDArray[np.float64], groups: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return ranks within each group, column by column, scaled to between 0 and 1.

    Args:
        values: (batch, column).
        groups: Which subjects are ordered together; int64 (batch). Everybody where ``None``.
    """
    together = np.zeros(len(values), dtype=np.int64) if groups is None else groups
    ranks = np.empty_like(values)
    for group in np.unique(together):
        rows = together == group
        ranks[rows] = (rankdata(values[rows], axis=0) - 0.5) / rows.sum()
    return ranks
