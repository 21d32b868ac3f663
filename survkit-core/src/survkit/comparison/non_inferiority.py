"""Is a model at most a stated margin worse than another?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from survkit.comparison.bootstrap_difference import SMALLEST_SHARE
from survkit.errors import ConfigError
from survkit.metrics.estimate import Undefined


@dataclass(frozen=True, slots=True, kw_only=True)
class NonInferiority:
    """What a non-inferiority test found.

    Attributes:
        gain: How much better the first model is than the second; negative if worse.
        bound: With confidence ``level`` the first is better by more than this.
        margin: How much worse still counts as not worse.
        level: One-sided confidence.
        p_value: One-sided, of the hypothesis that the first is worse by the margin or more.
        shown: Whether the bound lies above -margin.
    """

    gain: float
    bound: float
    margin: float
    level: float
    p_value: float
    shown: bool

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def non_inferiority(
    gain: float, replicates: Tensor, *, margin: float, level: float = 0.975
) -> NonInferiority | Undefined:
    """Judge a paired difference against a margin that was stated beforehand.

    Args:
        gain: First minus second where higher is better, second minus first where lower is.
        replicates: The same in every paired bootstrap resample, NaN where undefined; (replicate).
        margin: > 0, in the unit of the metric.
        level: One-sided confidence; 0.975 is the lower end of a two-sided 95% interval.

    Returns:
        The test, or Undefined where the metric is in too many resamples.

    Raises:
        ConfigError: The margin or the level is impossible.

    Reference: percentile bound, Efron and Tibshirani (1993, chapter 13); the one-sided 0.975 is
        that of ICH E9 (1998).
    """
    if not 0 < margin < float("inf"):
        raise ConfigError(f"margin must be a positive number, not {margin}")
    if not 0 < level < 1:
        raise ConfigError(f"level must lie between 0 and 1, not {level}")
    known = replicates[~replicates.isnan()]
    if len(known) < max(2.0, SMALLEST_SHARE * len(replicates)):
        return Undefined(
            f"no bound: the metric is undefined in {len(replicates) - len(known)} of "
            f"{len(replicates)} resamples",
            len(replicates),
            0,
        )
    bound = float(torch.quantile(known, 1 - level))
    worse = int((known <= -margin).sum())
    return NonInferiority(
        gain=gain,
        bound=bound,
        margin=margin,
        level=level,
        p_value=(worse + 1) / (len(known) + 1),
        shown=bound > -margin,
    )
