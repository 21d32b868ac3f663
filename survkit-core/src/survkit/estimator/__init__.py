"""Any recipe for tables and embeddings as an estimator of scikit-learn and scikit-survival."""

from __future__ import annotations

from survkit.estimator.survival_estimator import SurvivalEstimator

__all__ = ["SurvivalEstimator"]
