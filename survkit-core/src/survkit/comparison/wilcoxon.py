"""Wilcoxon's signed-rank test of paired differences, exact, with its effect size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erfc, isfinite, sqrt
from typing import Any

import numpy as np
from scipy.stats import rankdata

from survkit.errors import DataError
from survkit.metrics.estimate import Undefined

MOST_EXACT = 200
"""Up to this many differences the distribution is enumerated; beyond, the normal one is as good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WilcoxonTest:
    """What the signed-rank test found.

    Attributes:
        statistic: W, the smaller of the rank sums of the positive and of the negative differences.
        p_value: Two-sided.
        effect_size: r = |Z| / sqrt(n) between 0 and 1, with Z from the normal approximation.
        n: Differences that are not zero.
        smallest_p: The p-value if all differences had one sign: no smaller one is possible.
        method: How the p-value was computed, in words.
    """

    statistic: float
    p_value: float
    effect_size: float
    n: int
    smallest_p: float
    method: str

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def wilcoxon_signed_rank(differences: Sequence[float]) -> WilcoxonTest | Undefined:
    """Test whether paired differences are symmetric about zero.

    Over repeats of a cross-validation it speaks of seeds and divisions of these subjects, not of
    new subjects: repeats are no more patients. The permutation test is about patients.

    Args:
        differences: One per pair. Zeros are left out; equal sizes share their mean rank, and the
            exact distribution is that of the ranks as they are.

    Returns:
        The test, or Undefined where every difference is zero.

    Raises:
        DataError: A difference is not a finite number.

    Reference: Wilcoxon (1945); effect size: Rosenthal (1991).

    >>> found = wilcoxon_signed_rank([0.07, 0.08, 0.05, 0.09, 0.06, 0.10])
    >>> found.statistic, found.p_value, round(found.effect_size, 3)
    (0.0, 0.03125, 0.899)
    """
    for place, value in enumerate(differences):
        if not isfinite(value):
            raise DataError(f"differences must be finite, but number {place} is {value}")
    known = np.array([value for value in differences if value != 0], dtype=np.float64)
    size = len(known)
    if size == 0:
        return Undefined("there is no difference that is not zero", len(differences), 0)
    doubled = np.rint(2 * rankdata(np.abs(known))).astype(np.int64)
    above = int(doubled[known > 0].sum())
    smaller = min(above, int(doubled.sum()) - above)
    # Mean ranks of ties have the variance sum(rank²) / 4, which is the usual tie correction.
    z = (smaller - doubled.sum() / 2) / sqrt(float(doubled @ doubled) / 4)
    exact = size <= MOST_EXACT
    p_value = _exact_p(doubled, smaller) if exact else erfc(abs(z) / sqrt(2))
    return WilcoxonTest(
        statistic=smaller / 2,
        p_value=p_value,
        effect_size=min(1.0, abs(z) / sqrt(size)),
        n=size,
        smallest_p=2.0 ** (1 - size),
        method="exact" if exact else "normal approximation",
    )


def _exact_p(doubled: np.ndarray, smaller: int) -> float:
    """Twice the probability of a rank sum as small, over all signs of these ranks."""
    chance = np.zeros(int(doubled.sum()) + 1)
    chance[0] = 1.0
    for rank in doubled.tolist():
        moved = np.zeros_like(chance)
        moved[rank:] = chance[: len(chance) - rank]
        chance = (chance + moved) / 2
    return min(1.0, 2 * float(chance[: smaller + 1].sum()))
