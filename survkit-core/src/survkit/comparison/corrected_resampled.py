"""The corrected t-test of differences over the folds of a (repeated) cross-validation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Any

import numpy as np
from scipy.special import stdtr

from survkit.errors import DataError
from survkit.metrics.estimate import Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectedTest:
    """What the corrected test found.

    Attributes:
        difference: Mean difference over folds and repeats.
        standard_error: Corrected for the overlap of training sets.
        statistic: t, their ratio.
        degrees_of_freedom: Differences less one.
        p_value: Two-sided.
        n: Number of differences.
    """

    difference: float
    standard_error: float
    statistic: float
    degrees_of_freedom: int
    p_value: float
    n: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def corrected_resampled_t(
    differences: Sequence[float], *, test_over_train: float
) -> CorrectedTest | Undefined:
    """Test the mean of differences whose training sets overlap.

    The ordinary t-test takes folds for independent and finds differences where there are none. The
    variance of the mean is S² (1 / J + n_test / n_train) instead of S² / J, which is right where
    two folds' differences correlate by n_test / (n_test + n_train).

    Args:
        differences: One per fold of every repeat, J in all.
        test_over_train: Test subjects of a fold over its training subjects; 1 / (k - 1) with k
            folds.

    Returns:
        The test, or Undefined for fewer than two differences or where they do not vary.

    Raises:
        DataError: A difference is not finite, or the ratio not positive.

    Reference: Nadeau and Bengio (2003), equation 9; repeated cross-validation: Bouckaert and Frank
        (2004).

    >>> corrected_resampled_t([0.01, 0.03], test_over_train=1.0).statistic
    1.1547005383792515
    """
    for place, value in enumerate(differences):
        if not isfinite(value):
            raise DataError(f"differences must be finite, but number {place} is {value}")
    if not 0 < test_over_train < float("inf"):
        raise DataError(f"test_over_train must be a positive number, not {test_over_train}")
    values = np.asarray(differences, dtype=np.float64)
    size = len(values)
    if size < 2:
        return Undefined("a spread over folds needs two folds at least", size, 0)
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    if np.ptp(values) == 0:
        return Undefined("the difference is the same in every fold: no spread to judge by", size, 0)
    error = sqrt(variance * (1 / size + test_over_train))
    statistic = mean / error
    return CorrectedTest(
        difference=mean,
        standard_error=error,
        statistic=statistic,
        degrees_of_freedom=size - 1,
        p_value=float(2 * stdtr(size - 1, -abs(statistic))),
        n=size,
    )
