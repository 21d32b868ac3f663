"""Data and recipes that the estimator refuses, each in a sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sksurv.util import Surv
from tests.core.estimator.estimator_data import BOTH, COX, PLAIN, X0, Y0

from survkit import SurvivalEstimator
from survkit.errors import ConfigError, DataError


def changed(y: np.ndarray, name: str, value: float) -> np.ndarray:
    y = y.copy()
    y[name][3] = value
    return y


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (PLAIN, None, "requires y to be passed, but the target y is None"),
        (PLAIN, Y0["time"], "must be a structured array.*this one is a ndarray of float64"),
        (PLAIN, Y0[:100], "X has 120 rows, but y has 100"),
        (PLAIN, changed(Y0, "time", np.nan), "finite and above 0, but row 3 has nan"),
        (PLAIN, changed(Y0, "time", np.inf), "row 3 has inf"),
        (PLAIN, changed(Y0, "time", 0.0), "row 3 has 0"),
        (PLAIN, Surv.from_arrays(np.r_[True, np.zeros(119, bool)], Y0["time"])[1:], "X has 120"),
        (
            PLAIN,
            Y0.astype([("event", int), ("time", float)]),
            r"holds whole numbers \(0, 1\).*no competing causes.*survkit.cross_validate",
        ),
        (PLAIN, Y0.astype([("event", float), ("time", float)]), "must be bool, not float64"),
        (PLAIN, pd.DataFrame({"a": Y0["time"], "b": Y0["time"]}), "exactly one column must be"),
        (PLAIN, pd.DataFrame({"a": Y0["time"]}), "has 1 columns"),
        (PLAIN.assign(age=np.inf), Y0, "'age' holds infinite numbers"),
        (PLAIN.assign(age=["x", *X0["age"][1:]]), Y0, "'age' must hold numbers or texts, but row"),
        (PLAIN.assign(age=pd.Timestamp("2020-01-01")), Y0, "'age' must hold numbers or texts"),
        (PLAIN.iloc[:0], Y0[:0], r"at least 2 rows, but its shape is \(0, 2\)"),
    ],
)
def test_bad_data_are_refused_in_a_sentence(X: Any, y: Any, message: str) -> None:
    """It says what was expected and what came, and nothing was trained."""
    with pytest.raises(DataError, match=message) as caught:
        SurvivalEstimator(COX).fit(X, y)

    assert "\n" not in str(caught.value)


def test_nobody_with_an_event_is_refused() -> None:
    """There is nothing to learn."""
    y = Surv.from_arrays(np.arange(120) < 0, Y0["time"])

    with pytest.raises(DataError, match="y holds no event: all 120 subjects are censored"):
        SurvivalEstimator(COX).fit(PLAIN, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"recipe": 3}, "recipe must be a survkit.Recipe, a mapping, a file or the name.*not int"),
        ({"recipe": BOTH}, r"reads clinical, histology; say which columns.*modalities=\{'clin"),
        ({"modalities": {"blood": ["age"]}}, "modalities names blood, but the recipe reads clin"),
        ({"modalities": {"clinical": ["weight"]}}, "X has no column 'weight'; it has age, stage"),
        ({"modalities": {"clinical": "age"}}, "must be a list of columns, not 'age'"),
        ({"modalities": {"clinical": {"kind": "volume", "columns": ["age"]}}}, "'table' or 'vec"),
        ({"changes": {"training.epoch": 3}}, "unknown key 'training.epoch'. Did you mean 'epochs'"),
        ({"changes": ["training.epochs=3"]}, "changes must map dotted paths to values"),
        ({"changes": {"outcome.horizon": 90000.0}}, "no training subject was followed for longer"),
        (
            {
                "recipe": {
                    "baseline": "coxnet",
                    "inputs": ["clinical"],
                    "outcome": {"horizon": 400},
                }
            },
            "'coxnet' is an estimator of scikit-survival already",
        ),
    ],
)
def test_a_recipe_that_does_not_fit_is_refused(settings: dict[str, Any], message: str) -> None:
    """At fit, as scikit-learn asks; the constructor only keeps what it is given."""
    estimator = SurvivalEstimator(**({"recipe": COX} | settings))

    with pytest.raises(ConfigError, match=message):
        estimator.fit(PLAIN, Y0)


def test_nothing_can_be_asked_before_it_is_fitted() -> None:
    """scikit-learn's own error, as its tools expect it."""
    X = X0
    for ask in ("predict", "predict_survival_function", "predict_cumulative_hazard_function"):
        with pytest.raises(NotFittedError):
            getattr(SurvivalEstimator(COX), ask)(X)
