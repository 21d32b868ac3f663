"""Who belongs to the low, middle or high predicted risk.

Risk scores of different folds come from different models and need not share a scale, so subjects
are ranked within their fold and repeat, and groups are cut at equal shares of those ranks. No
outcome enters the cut.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from survkit.evaluation.predictions import Predictions

NAMES: dict[int, tuple[str, ...]] = {2: ("lower half", "upper half"), 3: ("low", "middle", "high")}
SMALLEST_TERTILES = 60
"""With fewer subjects the groups are halves: thirds of 20 show noise."""


def risk_groups(
    predictions: Predictions, *, cause: int, groups: int | None = None
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Cut the subjects into groups of equal size by the rank of their risk score in their fold.

    Equal scores share their mean rank, so subjects with equal scores are never separated.

    Args:
        predictions: The table.
        cause: Event code, 1..K.
        groups: 2 for halves or 3 for thirds; ``None`` for what the number of subjects allows.

    Returns:
        Names of the groups from low to high risk, and the group of each row, int64 (row).
    """
    score = predictions.risk_score[:, cause - 1]
    share = np.empty(len(predictions))
    for repeat in predictions.repeats:
        for fold in predictions.folds(repeat):
            rows = (predictions.repeat == repeat) & (predictions.fold == fold)
            share[rows] = (rankdata(score[rows]) - 0.5) / rows.sum()
    names = NAMES[groups or (3 if predictions.subjects >= SMALLEST_TERTILES else 2)]
    return names, np.floor(share * len(names)).astype(np.int64)
