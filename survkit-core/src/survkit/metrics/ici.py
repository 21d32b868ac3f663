"""Integrated calibration index: how far a smooth calibration curve is from the diagonal.

The observed probability is regressed on the predicted one: a proportional hazards regression with
log(-log(1 - predicted)) as a restricted cubic spline of three knots, at the predictions' quantiles
0.1, 0.5 and 0.9. With competing events it is a Fine–Gray regression, so that the curve is one of
cumulative incidences.
"""

from __future__ import annotations

from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import check_incidence
from survkit.metrics.censoring_weights import check_no_entry
from survkit.metrics.estimate import Result, Undefined
from survkit.metrics.ici_statistic import (
    INDEX_WORDS,
    CalibrationIndex,
    CalibrationIndexStatistic,
)
from survkit.nonparametric.observations import check_target, check_vector


def calibration_index(
    horizon: float,
    predicted: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    index: CalibrationIndex = "ici",
) -> Result:
    """Summarise the distance between predicted and smoothed observed probability; 0 is calibrated.

    Case weights are honoured, delayed entry is refused; strata are not looked at. The censoring
    model inside Fine and Gray's regression is that of the evaluated subjects, as the regression is.

    Args:
        horizon: The time point.
        predicted: P(event of the cause by the horizon); (batch).
        target: What was observed.
        cause: The cause asked about; other causes compete.
        index: ``"ici"`` the mean, ``"e50"``, ``"e90"`` or ``"emax"`` of the distances.

    Returns:
        An Estimate, or Undefined where no curve can be fitted. Being a distance, it is above 0 for
        calibrated predictions too, and so are its bootstrap replicates: no interval holds the 0 of
        calibrated predictions. Of clearly miscalibrated ones 95 % intervals held the truth in 95 %
        of simulated cohorts of 300.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.

    Reference: Austin, Harrell and van Klaveren (2020); competing risks: Austin, Putter,
        Giardiello and van Klaveren (2022). Ties as Breslow has them.
    """
    return calibration_index_statistic(
        horizon, predicted, target, cause=cause, index=index
    ).estimate()


def calibration_index_statistic(
    horizon: float,
    predicted: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    index: CalibrationIndex = "ici",
) -> CalibrationIndexStatistic:
    """Return :func:`calibration_index` as a statistic that can be resampled."""
    checked = check_target(target)
    check_no_entry(checked, "a smooth calibration curve")
    size = len(checked.duration)
    values = check_vector("predicted", predicted, size)
    check_incidence(values[:, None], size)
    if index not in INDEX_WORDS:
        raise DataError(f"index must be one of {', '.join(INDEX_WORDS)}, not {index!r}")
    if isinstance(cause, bool) or not isinstance(cause, int) or cause < 1:
        raise DataError(f"cause must be a whole number from 1, not {cause!r}")
    if not 0 < horizon < float("inf"):
        raise DataError(f"horizon must be a positive time, not {horizon}")
    return CalibrationIndexStatistic(
        horizon=horizon, predicted=values, target=checked, cause=cause, index=index
    )


def smooth_calibration(
    horizon: float, predicted: Tensor, target: SurvivalTarget, *, cause: int = 1
) -> Tensor | Undefined:
    """Return the smoothed observed probability of each subject, for a curve over ``predicted``.

    Returns:
        float64 (batch), or Undefined as :func:`calibration_index`.

    Raises:
        DataError: As there.
    """
    statistic = calibration_index_statistic(horizon, predicted, target, cause=cause)
    undefined = statistic.undefined()
    if undefined is not None:
        return undefined
    curve = statistic.observed(statistic.predicted.new_ones(1, len(statistic.predicted)))[0]
    return statistic.no_maximum() if bool(curve.isnan().any()) else curve
