"""What the examples say and compute, before any of their networks is trained."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from tests.integration.example_files import COHORTS, EXAMPLES, RECIPES

from survkit.data import Cohort
from survkit.data.check import check_cohort
from survkit.evaluation import Predictions
from survkit.recipe import Recipe


@pytest.mark.parametrize("cohort", COHORTS)
def test_cohorts_have_no_error(cohort: str, shared_data: Path) -> None:
    """`survkit cohort check` finds warnings at most; who is left out is among them."""
    data = shared_data / COHORTS[cohort]
    problems = check_cohort(EXAMPLES / cohort, data_folder=data)
    left_out = [problem for problem in problems if "left out" in problem.message]

    assert {problem.severity for problem in problems} <= {"warning"}
    assert len(left_out) == (6 if "competing" in cohort else 0)


def test_subjects_of_unknown_cause_are_left_out_by_name(shared_data: Path) -> None:
    """Six of 497 died of an unknown cause: 491 are left, and the six are named."""
    cohort = Cohort.read(
        EXAMPLES / "hancock/cohort-competing.yaml", data_folder=shared_data / "hancock"
    )
    table = pd.read_csv(shared_data / "hancock/clinical.csv")

    assert len(cohort) == 491
    assert set(cohort.left_out) == set(table.patient_id[table.cr_event.isna()])
    assert cohort.target(range(491)).event.bincount().tolist() == [358, 75, 58]


@pytest.mark.parametrize("recipe", RECIPES)
def test_nothing_is_left_to_choose_on_reported_folds(recipe: str) -> None:
    """All are trained to their last epoch; what is searched is searched by inner folds of the
    training part, and is a penalty.
    """
    read = Recipe.read(EXAMPLES / recipe)

    assert read.training.validation == 0
    assert set(read.search) <= {"training.optimizer.weight_decay"}
    assert read.training.search_folds > 1


def test_a_run_compared_with_itself_differs_by_nothing(ridge: ModuleType) -> None:
    """The paired difference of equal scores, and its interval, are exactly zero."""
    random = np.random.default_rng(0)
    score, duration = random.normal(size=(60, 1)), random.exponential(size=60) + 0.1
    table = Predictions(
        subject=np.array([f"s{k}" for k in range(60)]),
        repeat=np.zeros(60, dtype=np.int64),
        fold=np.arange(60, dtype=np.int64) % 3,
        duration=duration,
        event=random.integers(0, 2, 60),
        causes=("death",),
        time_unit="days",
        horizon=5.0,
        time_grid=np.array([5.0]),
        cumulative_incidence=np.full((60, 1, 1), 0.5),
        risk_score=score,
        model="any",
        splits_hash="any",
        seed=0,
    )
    (one,) = ridge.compare(table, score, 50)

    assert one.difference == (0.0, 0.0, 0.0)
    assert one.survkit == one.ridge


def test_the_ridge_model_learns_nothing_from_test_rows(ridge: ModuleType) -> None:
    """Other values of test rows change neither the features nor the scores of the others."""
    random = np.random.default_rng(1)
    raw = random.normal(size=(80, 6))
    raw[random.random(raw.shape) < 0.1] = np.nan
    duration, event = random.exponential(size=80) + 0.1, random.random(80) < 0.6
    train, test = np.arange(60), np.arange(60, 70)
    changed = raw.copy()
    changed[70:] = 100.0
    first, second = ridge.prepare(raw, train), ridge.prepare(changed, train)
    scores = [ridge.fold_scores(x, duration, event, train, test)[0] for x in (first, second)]

    assert not np.isnan(first).any()
    np.testing.assert_allclose(first[:70], second[:70], atol=1e-12)
    np.testing.assert_allclose(scores[0], scores[1], atol=1e-9)


def test_turning_the_columns_changes_no_ridge_model(ridge: ModuleType) -> None:
    """With more columns than subjects, the model in the span of the rows is the same model."""
    linear_model = pytest.importorskip("sksurv.linear_model")
    util = pytest.importorskip("sksurv.util")
    random = np.random.default_rng(2)
    features = random.normal(size=(40, 50))
    duration, event = random.exponential(size=40), random.random(40) < 0.7
    train, test = np.arange(30), np.arange(30, 40)
    found = ridge.ridge(features, duration, event, train, test, (5.0,))[5.0]
    outcome = util.Surv.from_arrays(event[train], duration[train])
    whole = linear_model.CoxPHSurvivalAnalysis(alpha=5.0, n_iter=200)
    whole.fit(features[train], outcome)
    expected = whole.predict(features[test])

    np.testing.assert_allclose(found - found.mean(), expected - expected.mean(), atol=1e-6)


def test_two_endpoints_of_the_same_patients(shared_data: Path) -> None:
    """16 deaths, and 29 who died or progressed, never later than they died or were last seen."""
    death, either = (
        Cohort.read(
            EXAMPLES / f"robsurv/petct-lung/cohort-{name}.yaml",
            data_folder=shared_data / "petct-lung",
        )
        for name in ("os", "pfs")
    )
    everybody = range(199)
    last, first = death.target(everybody), either.target(everybody)

    assert death.subjects == either.subjects
    assert [int((one.event > 0).sum()) for one in (last, first)] == [16, 29]
    assert bool((first.duration <= last.duration).all())
    assert [len(death.input_spec(name, everybody).columns) for name in death.modalities] == [
        4,
        20,
        21,
    ]
