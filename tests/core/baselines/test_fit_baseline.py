"""Baselines beside a loop written by hand with scikit-learn, and what they may not learn from."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sksurv.ensemble import GradientBoostingSurvivalAnalysis, RandomSurvivalForest
from sksurv.linear_model import CoxnetSurvivalAnalysis, CoxPHSurvivalAnalysis
from sksurv.metrics import concordance_index_censored
from sksurv.util import Surv

from survkit.baselines import BaselineTask, check_baseline, fit_baseline
from survkit.baselines.inner_cv import INNER_FOLDS, inner_parts
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, MissingExtraError
from survkit.plugins import load_plugins
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training.candidates import candidates

MakeCohort = Callable[..., Cohort]
TRAIN, TEST = np.arange(0, 90), np.arange(90, 120)
TIMES = [50.0, 200.0, 400.0]


@pytest.fixture(scope="module")
def registry() -> Registry:
    registry = Registry()
    load_plugins(registry, [])
    return registry


def recipe(baseline: Any, **changes: Any) -> Recipe:
    data = {
        "baseline": baseline,
        "inputs": ["clinical"],
        "outcome": {"horizon": 400},
        "training": {"seed": 3},
    }
    return Recipe.parse(data | changes, source="r")


def run(cohort: Cohort, plan: Recipe, registry: Registry) -> tuple[Any, dict[str, Any]]:
    return fit_baseline(
        BaselineTask(
            cohort=cohort,
            train=TRAIN,
            test=TEST,
            candidates=candidates(plan),
            seed=(3, 0, 1),
            registry=registry,
        )
    )


def by_hand(model: Any, frame: pd.DataFrame) -> tuple[Any, Any]:
    """Return the fitted model and the features of the test subjects, made by scikit-learn."""
    columns = ColumnTransformer(
        [
            ("age", SimpleImputer(strategy="median", add_indicator=True), ["age"]),
            ("stage", OneHotEncoder(sparse_output=False, handle_unknown="ignore"), ["stage"]),
        ]
    )
    prepared = make_pipeline(columns, StandardScaler()).fit(frame.loc[TRAIN])
    outcome = Surv.from_arrays(frame["event"] == 1, frame["days"])[TRAIN]
    order = [0, 2, 3, 4, 1]  # the indicator last, where survkit has it: solvers stop a digit early
    train, test = (prepared.transform(frame.loc[rows])[:, order] for rows in (TRAIN, TEST))
    return model.fit(train, outcome), test


def read_frame(cohort: Cohort) -> pd.DataFrame:
    frame = pd.read_csv(cohort.source.replace("cohort.yaml", "patients.csv"))
    return frame.assign(age=frame["age"].astype(np.float32).astype(float))


SEED = int(np.random.SeedSequence([3, 0, 1, 1]).generate_state(1)[0])
PAIRS = [
    ({"use": "ridge-cox", "penalty": 5.0}, CoxPHSurvivalAnalysis(alpha=5.0), 1e-6),
    (
        {"use": "coxnet", "penalty": 0.05, "l1_ratio": 0.7},
        CoxnetSurvivalAnalysis(alphas=[0.05], l1_ratio=0.7, fit_baseline_model=True),
        1e-6,
    ),
    (
        {"use": "gradient-boosting", "trees": 20, "depth": 2, "sample": 0.8},
        GradientBoostingSurvivalAnalysis(
            n_estimators=20, max_depth=2, min_samples_leaf=5, subsample=0.8, random_state=SEED
        ),
        1e-6,
    ),
]


@pytest.mark.parametrize(("settings", "model", "tolerance"), PAIRS)
def test_a_loop_by_hand_gives_the_same_predictions(
    make_cohort: MakeCohort, registry: Registry, settings: Any, model: Any, tolerance: float
) -> None:
    """Risk scores and survival at three times, of the same columns in the same order."""
    cohort = make_cohort()

    prediction, choice = run(cohort, recipe(settings), registry)

    fitted, features = by_hand(model, read_frame(cohort))
    expected = np.array([f(TIMES) for f in fitted.predict_survival_function(features)])
    assert choice == {}
    np.testing.assert_allclose(
        prediction.risk_score(400.0).numpy(), fitted.predict(features), rtol=tolerance, atol=1e-6
    )
    np.testing.assert_allclose(prediction.survival(TIMES), expected, rtol=tolerance, atol=1e-6)


def test_a_forest_is_that_of_its_seed(make_cohort: MakeCohort, registry: Registry) -> None:
    """The columns in survkit's order, the seed of the fold: the same trees and curves."""
    from survkit.baselines.design_matrix import fit_design

    cohort = make_cohort()
    plan = recipe({"use": "random-survival-forest", "trees": 20, "leaf": 5})

    prediction, _ = run(cohort, plan, registry)

    design = fit_design(cohort, plan.inputs, TRAIN)
    frame = read_frame(cohort)
    forest = RandomSurvivalForest(
        n_estimators=20, min_samples_leaf=5, min_samples_split=10, random_state=SEED
    ).fit(
        design.features(cohort, TRAIN),
        Surv.from_arrays(frame["event"] == 1, frame["days"])[TRAIN],
    )
    features = design.features(cohort, TEST)
    curves = [f(TIMES) for f in forest.predict_survival_function(features)]
    np.testing.assert_allclose(prediction.survival(TIMES), curves)
    np.testing.assert_allclose(prediction.risk_score(400.0), forest.predict(features))


def test_the_penalty_is_that_of_the_highest_inner_concordance(
    make_cohort: MakeCohort, registry: Registry
) -> None:
    """Chosen by a loop of its own over the inner division, then fitted on all of training."""
    cohort = make_cohort()
    grid = [100.0, 10.0, 1.0, 0.1]

    prediction, choice = run(cohort, recipe({"use": "ridge-cox", "penalties": grid}), registry)

    frame = read_frame(cohort)
    found = []
    for penalty in grid:
        pairs = agreeing = 0.0
        for fitted, left in inner_parts(cohort, TRAIN, SEED):
            columns = ColumnTransformer(
                [
                    ("age", SimpleImputer(strategy="median", add_indicator=True), ["age"]),
                    ("stage", OneHotEncoder(sparse_output=False), ["stage"]),
                ]
            )
            prepared = make_pipeline(columns, StandardScaler()).fit(frame.loc[fitted])
            outcome = Surv.from_arrays(frame["event"] == 1, frame["days"])
            model = CoxPHSurvivalAnalysis(alpha=penalty).fit(
                prepared.transform(frame.loc[fitted]), outcome[fitted]
            )
            score = model.predict(prepared.transform(frame.loc[left]))
            y = outcome[left]
            _, concordant, discordant, tied, _ = concordance_index_censored(
                y["event"], y["time"], score
            )
            agreeing += concordant + tied / 2
            pairs += concordant + discordant + tied
        found.append(agreeing / pairs)
    np.testing.assert_allclose([each["score"] for each in choice["scores"]], found, atol=2e-3)
    best = grid[int(np.argmax(found))]
    assert choice["chosen"] == {"baseline.penalty": best}
    assert choice["inner_folds"] == INNER_FOLDS
    refitted, _ = run(cohort, recipe({"use": "ridge-cox", "penalty": best}), registry)
    assert torch.equal(prediction.risk_score(400.0), refitted.risk_score(400.0))


@pytest.mark.parametrize(
    "settings",
    [
        {"use": "coxnet", "penalties": 8},
        {"use": "ridge-cox"},
        {"use": "random-survival-forest", "trees": 5},
        {"use": "gradient-boosting", "trees": 5},
    ],
)
def test_test_subjects_teach_nothing(
    make_cohort: MakeCohort, registry: Registry, settings: Any
) -> None:
    """With other outcomes and other features of the other test subjects, what one test subject is
    told and what was chosen is the same to the last bit.
    """
    inputs = ["clinical", {"modality": "histology", "components": 2}]
    plan = recipe(settings, inputs=inputs, search={"inputs.1.components": [1, 2]})
    before, chosen = run(make_cohort(causes=2), plan, registry)

    def bend(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        others = table.index > TEST[0]
        order = np.random.default_rng(1).permutation(int(others.sum()))
        for name in ("days", "event"):
            table.loc[others, name] = table.loc[others, name].to_numpy()[order]
        table.loc[TEST[0], ["days", "event"]] = [3.3, 0]
        table.loc[others, "age"] = 1000.0
        table.loc[others, "stage"] = "IV"
        vectors.loc[vectors.index > TEST[0], "e0":"e5"] *= 50

    after, again = run(make_cohort(bend, causes=2), plan, registry)

    assert again == chosen
    assert chosen["scores"]
    for cause in (1, 2):
        assert before.risk_score(400.0, cause)[0] == after.risk_score(400.0, cause)[0]
    assert torch.equal(before.cumulative_incidence(TIMES)[0], after.cumulative_incidence(TIMES)[0])
    assert before.last_time == after.last_time


def test_with_competing_causes_there_is_one_model_per_cause(
    make_cohort: MakeCohort, registry: Registry
) -> None:
    """The others are censored; what is chosen carries the cause's name; incidences add up."""
    plan = recipe({"use": "coxnet", "penalties": 5}, inputs=["clinical", "histology"])

    prediction, choice = run(make_cohort(causes=2), plan, registry)

    assert set(choice["chosen"]) == {"death: baseline.penalty", "other: baseline.penalty"}
    assert {each["cause"] for each in choice["scores"]} == {"death", "other"}
    total = prediction.cumulative_incidence(TIMES).sum(dim=1) + prediction.survival(TIMES)
    torch.testing.assert_close(total, torch.ones_like(total))
    incidence = prediction.cumulative_incidence([400.0])[:, 1, 0]
    assert torch.equal(prediction.risk_score(400.0, 2), incidence)


def test_the_same_seed_gives_the_same_forest(make_cohort: MakeCohort, registry: Registry) -> None:
    """And another seed another one."""
    plan = recipe({"use": "random-survival-forest", "trees": 3})
    cohort = make_cohort()
    task = BaselineTask(
        cohort=cohort, train=TRAIN, test=TEST, candidates=candidates(plan), seed=(4, 0, 1),
        registry=registry,
    )  # fmt: skip

    first, second = (run(cohort, plan, registry)[0].risk_score(400.0) for _ in range(2))

    assert torch.equal(first, second)
    assert not torch.equal(first, fit_baseline(task)[0].risk_score(400.0))


def entry(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
    table["entered"] = table["days"] / 2
    config["outcome"]["entry"] = "entered"


def weight(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
    table["weight"] = 2.0
    config["outcome"]["weight"] = "weight"


def strata(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
    config["strata"] = "stage"


def images(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
    table["path"] = "x.nii"
    config["modalities"]["ct"] = {
        "kind": "volume", "path": "path", "size": [4, 4, 4], "spacing": [1, 1, 1]
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "plan", "message"),
    [
        (entry, {}, r"delayed entry \(outcome.entry\).*do not honour.*the head cox"),
        (weight, {}, r"case weights \(outcome.weight\)"),
        (strata, {}, "declares strata"),
        (
            images,
            {"inputs": ["ct"]},
            "'ct' is a modality of kind volume, but a baseline reads tables and",
        ),
        (None, {"inputs": ["blood"]}, "no modality is named 'blood'"),
        (None, {"inputs": [{"modality": "clinical", "components": 2}]}, "'clinical' is a table"),
        (None, {"inputs": [{"modality": "histology", "components": 9}]}, "6 entries, so 9 comp"),
        (None, {"baseline": "coxnett"}, "no baseline is named 'coxnett'. Did you mean 'coxnet'"),
        (None, {"baseline": {"use": "coxnet", "alpha": 1}}, "no setting 'alpha'"),
        (None, {"baseline": {"use": "coxnet", "l1_ratio": 0.0}}, r"\(coxnet\): l1_ratio must be"),
        (None, {"baseline": {"use": "coxnet", "penalty": "x"}}, "'penalty' must be a number"),
        (None, {"baseline": {"use": "ridge-cox", "penalty": -1.0}}, "penalties must be above 0"),
        (None, {"baseline": {"use": "gradient-boosting", "sample": 2.0}}, "sample must be above 0"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    make_cohort: MakeCohort, registry: Registry, change: Any, plan: dict[str, Any], message: str
) -> None:
    """Before anything is fitted, naming what came and what to do."""
    cohort = make_cohort(change)
    wanted = recipe(**({"baseline": "coxnet"} | plan))

    with pytest.raises((ConfigError, DataError), match=message) as caught:
        check_baseline(wanted, cohort, registry)

    assert "\n" not in str(caught.value)


def test_too_few_events_for_a_choice_are_said(make_cohort: MakeCohort, registry: Registry) -> None:
    """Two events cannot be spread over three inner folds."""

    def bend(config: Any, table: pd.DataFrame, vectors: pd.DataFrame) -> None:
        table.loc[TRAIN[2:], "event"] = 0
        table.loc[TRAIN[:2], "event"] = 1

    with pytest.raises(DataError, match="90 training subjects cannot be divided for the inner"):
        run(make_cohort(bend), recipe("coxnet"), registry)


def test_without_the_extra_one_line_says_what_to_install(
    make_cohort: MakeCohort, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import fails only where a baseline is asked for."""
    for name in list(sys.modules):
        if name.partition(".")[0] == "sksurv" or name.startswith("survkit.baselines.coxnet"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "survkit.baselines.sksurv_model")
    monkeypatch.setitem(sys.modules, "sksurv", None)

    with pytest.raises(MissingExtraError, match=r'pip install "survkit-core\[sksurv\]"'):
        check_baseline(recipe("coxnet"), make_cohort(), registry)
