"""Evaluation of predictions: pure functions of tensors to an Estimate, or to why there is none."""

from __future__ import annotations

from survkit.metrics.adjusted_antolini import adjusted_antolini_concordance
from survkit.metrics.antolini import antolini_concordance, antolini_statistic
from survkit.metrics.antolini_prediction import (
    antolini_from_prediction,
    antolini_prediction_statistic,
)
from survkit.metrics.bootstrap import (
    Bootstrap,
    bootstrap_counts,
    bootstrap_replicates,
    with_interval,
)
from survkit.metrics.brier import (
    brier_score,
    brier_score_incidence,
    integrated_brier_score,
    integrated_brier_score_incidence,
)
from survkit.metrics.brier_statistic import brier_statistic
from survkit.metrics.calibration import Calibration, CalibrationGroup, calibration_at
from survkit.metrics.d_calibration import (
    DCalibration,
    d_calibration,
    d_calibration_from_prediction,
)
from survkit.metrics.dynamic_auc import dynamic_auc, dynamic_auc_statistic, mean_dynamic_auc
from survkit.metrics.estimate import Estimate, Interval, Result, Undefined
from survkit.metrics.harrell import harrell_concordance, harrell_statistic
from survkit.metrics.ici import (
    calibration_index,
    calibration_index_statistic,
    smooth_calibration,
)
from survkit.metrics.jackknife import influences, jackknife_interval, jackknife_variance
from survkit.metrics.observed_expected import observed_expected_statistic
from survkit.metrics.scaled_brier import (
    scaled_brier_score,
    scaled_brier_score_incidence,
    scaled_brier_statistic,
)
from survkit.metrics.uno import uno_concordance, uno_statistic

__all__ = [
    "Bootstrap",
    "Calibration",
    "CalibrationGroup",
    "DCalibration",
    "Estimate",
    "Interval",
    "Result",
    "Undefined",
    "adjusted_antolini_concordance",
    "antolini_concordance",
    "antolini_from_prediction",
    "antolini_prediction_statistic",
    "antolini_statistic",
    "bootstrap_counts",
    "bootstrap_replicates",
    "brier_score",
    "brier_score_incidence",
    "brier_statistic",
    "calibration_at",
    "calibration_index",
    "calibration_index_statistic",
    "d_calibration",
    "d_calibration_from_prediction",
    "dynamic_auc",
    "dynamic_auc_statistic",
    "harrell_concordance",
    "harrell_statistic",
    "influences",
    "integrated_brier_score",
    "integrated_brier_score_incidence",
    "jackknife_interval",
    "jackknife_variance",
    "mean_dynamic_auc",
    "observed_expected_statistic",
    "scaled_brier_score",
    "scaled_brier_score_incidence",
    "scaled_brier_statistic",
    "smooth_calibration",
    "uno_concordance",
    "uno_statistic",
    "with_interval",
]
