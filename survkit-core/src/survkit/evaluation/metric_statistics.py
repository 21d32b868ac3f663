"""How each metric of :data:`survkit.evaluation.metric_names.METRICS` is computed, and what its
intervals may use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from survkit.evaluation import metric_names as names
from survkit.evaluation.auc_statistics import auc_at_horizon, auc_over_time, mean_auc
from survkit.evaluation.brier_statistics import (
    brier_at_horizon,
    brier_over_time,
    integrated_brier,
    integrated_scaled_brier,
    scaled_brier_at_horizon,
)
from survkit.evaluation.calibration_statistics import MOST_RESAMPLES, curve_points, e50, e90, ici
from survkit.evaluation.incidence_calibration import incidence_calibration
from survkit.evaluation.observed_expected import observed_over_expected
from survkit.evaluation.pair_statistics import (
    antolini_all_pairs,
    antolini_within_folds,
    harrell_all_pairs,
    harrell_within_folds,
)
from survkit.evaluation.part import Statistic
from survkit.evaluation.uno_statistics import uno_within_folds

Scale = Literal["logit", "log", "identity"]
"""On which scale an estimate is taken to be normal: shares and probabilities between 0 and 1,
positive ratios, anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A statistic and what its intervals may use.

    Attributes:
        statistic: Of one part.
        scale: Of a jackknife interval. ``None`` for distances between predicted and observed: their
            derivative in how often each subject counts has a kink or vanishes where predictions
            are right, and quantiles of them jump; so only the bootstrap gives an interval.
        most_resamples: A bound on the bootstrap, where it is slow.
        first_repeat: Of the first repeat alone, not the mean of all.
    """

    statistic: Statistic
    scale: Scale | None
    most_resamples: int | None = None
    first_repeat: bool = False


def _smooth(statistic: Statistic, *, first_repeat: bool = False) -> Measure:
    return Measure(
        statistic=statistic,
        scale=None,
        most_resamples=MOST_RESAMPLES,
        first_repeat=first_repeat,
    )


MEASURES: dict[str, Measure] = {
    names.HARRELL: Measure(statistic=harrell_within_folds, scale="logit"),
    names.ANTOLINI: Measure(statistic=antolini_within_folds, scale="logit"),
    names.UNO: Measure(statistic=uno_within_folds, scale="logit"),
    names.DYNAMIC_AUC: Measure(statistic=auc_at_horizon, scale="logit"),
    names.MEAN_DYNAMIC_AUC: Measure(statistic=mean_auc, scale="logit"),
    names.HARRELL_ALL: Measure(statistic=harrell_all_pairs, scale="logit"),
    names.ANTOLINI_ALL: Measure(statistic=antolini_all_pairs, scale="logit"),
    names.BRIER: Measure(statistic=brier_at_horizon, scale="logit"),
    names.INTEGRATED_BRIER: Measure(statistic=integrated_brier, scale="logit"),
    names.SCALED_BRIER: Measure(statistic=scaled_brier_at_horizon, scale="identity"),
    names.INTEGRATED_SCALED_BRIER: Measure(statistic=integrated_scaled_brier, scale="identity"),
    names.OBSERVED_EXPECTED: Measure(statistic=observed_over_expected, scale="log"),
    names.ICI: _smooth(ici),
    names.E50: _smooth(e50),
    names.E90: _smooth(e90),
    names.INCIDENCE_CALIBRATION: Measure(statistic=incidence_calibration, scale=None),
}
"""By key, one for each of ``METRICS``."""

OVER_TIME: dict[str, Measure] = {
    names.DYNAMIC_AUC: Measure(statistic=auc_over_time, scale="logit"),
    names.BRIER: Measure(statistic=brier_over_time, scale="logit"),
}
"""At :func:`survkit.evaluation.shown_times.shown_columns` of the grid."""

CALIBRATION_CURVE = _smooth(curve_points, first_repeat=True)
"""At :func:`survkit.evaluation.calibration_statistics.curve_rows`."""
