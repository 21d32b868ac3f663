"""P-values of chi-square tests."""

from __future__ import annotations

import torch


def chi_square_p_value(statistic: float, degrees_of_freedom: int) -> float:
    """P(chi-square >= statistic): the upper tail, exact also far out.

    >>> round(chi_square_p_value(3.841459, 1), 6)
    0.05
    """
    half = torch.tensor([degrees_of_freedom, statistic], dtype=torch.float64) / 2
    return float(torch.special.gammaincc(half[0], half[1]))
