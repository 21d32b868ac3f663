"""The estimator under scikit-learn's own checks of estimators."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import check_estimator
from sksurv.util import Surv
from tests.core.estimator.estimator_data import COX, TRAINING

from survkit import SurvivalEstimator


class FromLabels(SurvivalEstimator):
    """Makes a survival outcome of the numbers that scikit-learn's checks give as y."""

    def fit(self, X: Any, y: Any) -> SurvivalEstimator:
        return super().fit(X, _outcome(y))

    def score(self, X: Any, y: Any) -> float:
        return super().score(X, _outcome(y))


def _outcome(y: Any) -> Any:
    labels = np.asarray(y)
    if y is None or labels.dtype.names is not None or labels.size != len(labels):
        return y
    rank = np.unique(labels.reshape(-1), return_inverse=True)[1]
    return Surv.from_arrays(np.arange(len(rank)) % 7 > 0, 1.0 + rank)


@pytest.mark.slow
def test_scikit_learns_own_checks() -> None:
    """All that apply to a regressor-like estimator pass; y is turned into a survival outcome.

    Not among them: checks of transformers, classifiers, clusterers and of sample_weight (the loss
    would honour case weights, but fit takes none).
    """
    recipe = COX | {"outcome": {"horizon": 1.0}, "training": TRAINING | {"epochs": 1}}

    results = check_estimator(FromLabels(recipe), on_fail=None, on_skip=None)

    failed = {
        each["check_name"]: each["exception"] for each in results if each["status"] == "failed"
    }
    assert failed == {}
    assert sum(each["status"] == "passed" for each in results) >= 38
