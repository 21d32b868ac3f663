"""The estimator beside scikit-learn's tools, scikit-survival's conventions and survkit itself."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sksurv.metrics import (
    as_concordance_index_ipcw_scorer,
    as_cumulative_dynamic_auc_scorer,
    as_integrated_brier_score_scorer,
    concordance_index_censored,
    integrated_brier_score,
)
from sksurv.testing import assert_chf_properties, assert_survival_function_properties
from tests.core.estimator.estimator_data import (
    BOTH,
    COX,
    HAZARD,
    MODALITIES,
    PLAIN,
    X0,
    data,
)

import survkit
from survkit import SurvivalEstimator
from survkit.data import Cohort
from survkit.errors import DataError
from survkit.training import fit


@pytest.fixture(scope="module")
def fitted() -> SurvivalEstimator:
    """A Cox model of the table."""
    X, y = data()
    return SurvivalEstimator(COX, random_state=0).fit(X[["age", "stage"]], y)


@pytest.fixture(scope="module")
def discrete() -> SurvivalEstimator:
    """A discrete-time model of numbers alone, given as an array."""
    X, y = data()
    return SurvivalEstimator(HAZARD, random_state=0).fit(X[["age", "e0"]].to_numpy(), y)


def test_it_is_the_model_that_survkit_trains_on_files(tmp_path: Path) -> None:
    """The same table in a cohort file, the same recipe and seed: the same curves, bit for bit."""
    X, y = data()
    estimator = SurvivalEstimator(BOTH, modalities=MODALITIES).fit(X, y)
    table = X.assign(id=[f"{k}" for k in range(120)], days=y["time"], event=y["event"].astype(int))
    table.to_parquet(tmp_path / "table.parquet")
    config = {
        "name": "files",
        "table": "table.parquet",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "event"}},
        "modalities": {
            "clinical": {"kind": "table", "columns": ["age", "stage"]},
            "histology": {"kind": "vector", "columns": ["e0", "e1", "e2", "e3"]},
        },
    }
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(config))
    cohort = Cohort.read(tmp_path / "cohort.yaml")

    model = fit(survkit.Recipe.parse(BOTH, source="r"), cohort, tmp_path / "model", progress=False)

    expected = model.predict(cohort)
    times = [100.0, 400.0]
    functions = estimator.predict_survival_function(X)
    assert np.array_equal(estimator.predict(X), expected.risk_score(400.0).double().numpy())
    np.testing.assert_array_equal([f(times) for f in functions], expected.survival(times).numpy())


@pytest.mark.parametrize("name", ["fitted", "discrete"])
def test_curves_keep_scikit_survivals_conventions(
    name: str, request: pytest.FixtureRequest
) -> None:
    """Values at unique_times_, functions that agree with them, S falling and H rising."""
    estimator: SurvivalEstimator = request.getfixturevalue(name)
    X, y = data()
    X = X[["age", "stage"]] if name == "fitted" else X[["age", "e0"]].to_numpy()
    times = estimator.unique_times_

    survival = estimator.predict_survival_function(X, return_array=True)
    hazard = estimator.predict_cumulative_hazard_function(X, return_array=True)

    assert np.isin(times, y["time"]).all()
    assert (np.diff(times) > 0).all()
    assert survival.shape == hazard.shape == (120, len(times))
    assert_survival_function_properties(survival)
    assert_chf_properties(hazard)
    np.testing.assert_allclose(hazard, -np.log(survival), atol=1e-9)
    functions = estimator.predict_survival_function(X)
    assert functions.shape == (120,)
    np.testing.assert_array_equal([f(f.x) for f in functions], survival)
    np.testing.assert_array_equal([f.y for f in functions], survival)
    assert isinstance(functions[3](times[2]), float)


def test_curves_are_not_extrapolated(discrete: SurvivalEstimator) -> None:
    """Beyond the horizon of a discrete-time model nothing is known."""
    X, _ = data()
    function = discrete.predict_survival_function(X[["age", "e0"]].to_numpy()[:1])[0]

    assert function.domain == (0.0, 400.0)
    assert function(0.0) == 1.0
    with pytest.raises(DataError, match="between 0 and 400"):
        function([100.0, 401.0])


def test_score_is_scikit_survivals_concordance(fitted: SurvivalEstimator) -> None:
    """Higher risk scores mean earlier events, and the model has learnt something."""
    X, y = data()
    X = X[["age", "stage"]]

    expected = concordance_index_censored(y["event"], y["time"], fitted.predict(X))[0]

    assert fitted.score(X, y) == pytest.approx(expected, abs=1e-12)
    assert expected > 0.6


def test_y_may_be_a_frame(fitted: SurvivalEstimator) -> None:
    """The column of type bool is the event, whatever its place and name."""
    X, y = data()
    outcome = pd.DataFrame({"months": y["time"], "died": y["event"]})

    again = SurvivalEstimator(COX, random_state=0).fit(X[["age", "stage"]], outcome)

    assert np.array_equal(again.predict(X[["age", "stage"]]), fitted.predict(X[["age", "stage"]]))


def test_the_random_state_decides(discrete: SurvivalEstimator) -> None:
    """The same seed gives the same model, another one another, and global generators stay."""
    X, y = data()
    values = X[["age", "e0"]].to_numpy()
    torch.manual_seed(5)
    before, drawn = torch.get_rng_state(), np.random.get_state()[1]  # noqa: NPY002

    same = SurvivalEstimator(HAZARD, random_state=0).fit(values, y)
    other = SurvivalEstimator(HAZARD, random_state=1).fit(values, y)

    assert np.array_equal(same.predict(values), discrete.predict(values))
    assert not np.array_equal(other.predict(values), same.predict(values))
    assert torch.equal(torch.get_rng_state(), before)
    np.testing.assert_array_equal(np.random.get_state()[1], drawn)  # noqa: NPY002


def test_the_model_can_be_saved_and_pickled(fitted: SurvivalEstimator, tmp_path: Path) -> None:
    """A model folder of survkit; and pickle, as joblib's processes need it."""
    X, _ = data()
    X = X[["age", "stage"]]

    fitted.save_pretrained(tmp_path / "model")

    loaded = survkit.from_pretrained(tmp_path / "model")
    assert loaded.description.training["recipe"]["head"]["use"] == "cox"
    assert loaded.description.inputs["clinical"].columns[1].levels == ("I", "II", "III")
    again = pickle.loads(pickle.dumps(fitted))
    assert np.array_equal(again.predict(X), fitted.predict(X))


def test_a_grid_search_over_a_pipeline_tunes_the_recipe() -> None:
    """Paths of the recipe are parameters, also behind a pipeline's own prefix."""
    X, y = data()
    pipeline = make_pipeline(StandardScaler(), SurvivalEstimator(COX, random_state=0))
    grid = {
        "survivalestimator__recipe__training__epochs": np.array([1, 12]),
        "survivalestimator__recipe__encoders__clinical__missing": ["indicator"],
    }

    search = GridSearchCV(pipeline, grid, cv=KFold(2), error_score="raise").fit(
        X[["age", "e0", "e1"]], y
    )

    chosen = search.best_estimator_[-1]
    assert search.best_params_["survivalestimator__recipe__training__epochs"] == 12
    assert chosen.recipe_.training.epochs == 12
    assert chosen.recipe_.encoders["clinical"].settings["missing"] == "indicator"
    assert search.best_estimator_.score(X[["age", "e0", "e1"]], y) > 0.7


def test_scikit_survivals_scorers_read_it() -> None:
    """Uno's concordance, dynamic AUC, and the Brier score over the very curves."""
    X, y = data()
    X, times = X[["age", "stage"]], np.array([60.0, 150.0, 300.0])
    train, test = np.arange(80), np.arange(80, 120)
    estimator = SurvivalEstimator(HAZARD, random_state=0, changes={"training.epochs": 3})

    found = [
        scorer.fit(X.iloc[train], y[train]).score(X.iloc[test], y[test])
        for scorer in (
            as_concordance_index_ipcw_scorer(estimator, tau=400.0),
            as_cumulative_dynamic_auc_scorer(estimator, times),
            as_integrated_brier_score_scorer(estimator, times),
        )
    ]

    estimator.fit(X.iloc[train], y[train])
    curves = estimator.model_.predict(
        survkit.estimator.memory_cohort.memory_cohort(X.iloc[test], None, estimator._inputs, "days")
    ).survival(times)
    assert 0 < found[0] < 1
    assert 0 < found[1] < 1
    assert found[2] == -integrated_brier_score(y[train], y[test], curves.double().numpy(), times)


def test_parameters_survive_cloning() -> None:
    """set_params takes back what get_params gave; changes of the recipe are among them."""
    estimator = SurvivalEstimator(COX, changes={"training.epochs": 3}, random_state=4)
    estimator.set_params(recipe__outcome__horizon=300.0, modalities={"clinical": ["age"]})

    params = clone(estimator).get_params()

    assert params["recipe__training__epochs"] == 3
    assert params["recipe__outcome__horizon"] == 300.0
    assert params["changes"] == {"training.epochs": 3, "outcome.horizon": 300.0}
    assert clone(estimator).set_params(**params).get_params() == params
    assert estimator.fit.__self__.recipe is COX


def test_an_array_stands_for_a_frame_with_scikit_learns_warning(
    discrete: SurvivalEstimator,
) -> None:
    """Columns then count by their place, as everywhere in scikit-learn."""
    X = X0[["age", "e0"]]

    with pytest.warns(UserWarning, match="was fitted without feature names"):
        found = discrete.predict(X)

    assert np.array_equal(found, discrete.predict(X.to_numpy()))


def test_unseen_categories_and_missing_cells_are_ordinary(fitted: SurvivalEstimator) -> None:
    """A new stage is no known stage; a missing age is missing."""
    X = pd.DataFrame({"age": [50.0, np.nan], "stage": ["IV", None]})

    assert np.isfinite(fitted.predict(X)).all()


def test_another_frame_than_in_training_is_refused(
    fitted: SurvivalEstimator, discrete: SurvivalEstimator
) -> None:
    """scikit-learn's own errors on names and numbers of columns; survkit's on their types."""
    with pytest.raises(ValueError, match="feature names should match"):
        fitted.predict(PLAIN.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match=r"1 features?, but .* expecting 2"):
        discrete.predict(PLAIN[["age"]].to_numpy())
    with pytest.raises(
        DataError, match="'stage' holds numbers, but the model was trained on names"
    ):
        fitted.predict(PLAIN.assign(stage=1.0))


def test_two_encoders_may_read_the_same_columns() -> None:
    """Columns are said once, by modality; that is the model of the columns given twice."""
    X, y = data()
    twin = {"use": "vector", "components": 2, "modality": "histology"}
    once = COX | {"encoders": {"histology": {"use": "vector"}, "short": twin}}
    twice = COX | {"encoders": {"histology": {"use": "vector"}, "short": {**twin}}}
    del twice["encoders"]["short"]["modality"]
    columns = MODALITIES["histology"]
    modalities = {"histology": columns, "short": columns}

    first = SurvivalEstimator(once, random_state=0).fit(X[columns], y)
    second = SurvivalEstimator(twice, modalities=modalities, random_state=0).fit(X[columns], y)

    assert np.array_equal(first.predict(X[columns]), second.predict(X[columns]))
