"""The examples on real cohorts, as typed, beside a ridge Cox model in the same folds."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from survkit.cli import main
from survkit.data import Cohort
from survkit.data.check import check_cohort
from survkit.evaluation import Predictions, evaluate
from survkit.metrics import Estimate
from survkit.recipe import Recipe

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
COHORTS = {
    "hancock/cohort.yaml": "hancock",
    "hancock/cohort-competing.yaml": "hancock",
    "lung1/cohort.yaml": "lung1",
    "metabric/cohort.yaml": "tabular",
    "robsurv/petct-lung/cohort-os.yaml": "petct-lung",
    "robsurv/petct-lung/cohort-pfs.yaml": "petct-lung",
}
RECIPES = {
    "hancock/clinical.yaml": "hancock/cohort.yaml",
    "hancock/blood.yaml": "hancock/cohort.yaml",
    "hancock/clinical-blood.yaml": "hancock/cohort.yaml",
    "hancock/histology.yaml": "hancock/cohort.yaml",
    "hancock/recipe.yaml": "hancock/cohort.yaml",
    "hancock/competing.yaml": "hancock/cohort-competing.yaml",
    "lung1/recipe.yaml": "lung1/cohort.yaml",
    "metabric/recipe.yaml": "metabric/cohort.yaml",
    "robsurv/petct-lung/coxph.yaml": "robsurv/petct-lung/cohort-pfs.yaml",
    "robsurv/petct-lung/deepsurv.yaml": "robsurv/petct-lung/cohort-pfs.yaml",
}
BASELINES = {
    "hancock/coxnet.yaml": "hancock/cohort.yaml",
    "hancock/forest.yaml": "hancock/cohort.yaml",
}
TOLERANCE = 0.01
"""How far below the ridge Cox model a concordance may be."""

Run = Callable[..., Path]


@pytest.fixture(scope="module")
def ridge() -> ModuleType:
    """The example ``compare_with_ridge.py`` as a module."""
    pytest.importorskip("sksurv")
    spec = importlib.util.spec_from_file_location(
        "compare_with_ridge", EXAMPLES / "compare_with_ridge.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A function that types the README's command for a recipe, once per recipe."""
    folder = tmp_path_factory.mktemp("runs")
    done: dict[str, Path] = {}

    def typed(recipe: str, *more: str) -> Path:
        name = "-".join([recipe.replace("/", "-").removesuffix(".yaml"), *more])
        if name not in done:
            cohort = (RECIPES | BASELINES)[recipe]
            out = folder / str(len(done))
            line = ["cv", str(EXAMPLES / recipe), "--cohort", str(EXAMPLES / cohort)]
            line += ["--data", str(shared_data / COHORTS[cohort]), "--folds", "5"]
            line += [] if "--seed" in more else ["--seed", "0"]
            line += ["--out", str(out), "--replicates", "100", "--quiet", *more]
            assert main(line) == 0
            done[name] = out
        return done[name]

    return typed


@pytest.fixture(scope="module")
def compared(run: Run, ridge: ModuleType, shared_data: Path) -> Callable[[str], list[Any]]:
    """A function that gives the numbers of both models for a recipe, by cause, once per recipe."""
    done: dict[str, list[Any]] = {}

    def both(recipe: str) -> list[Any]:
        if recipe not in done:
            cohort = RECIPES[recipe]
            done[recipe], _ = ridge.compare_run(
                run(recipe), EXAMPLES / cohort, shared_data / COHORTS[cohort], replicates=100
            )
        return done[recipe]

    return both


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


def test_one_member_already_learns_hancock(run: Run) -> None:
    """A single network per fold on clinical columns is far from chance."""
    out = run("hancock/clinical.yaml", "--set", "training.members=1", "--set", "search={}")
    metrics = json.loads((out / "metrics.json").read_text())
    found = metrics["causes"]["death"]["metrics"]["harrell_concordance_within_folds"]

    assert found["pooled"]["value"] > 0.64


@pytest.mark.slow
@pytest.mark.parametrize(
    ("recipe", "published"),
    [
        ("hancock/clinical.yaml", 0.68),
        ("hancock/clinical-blood.yaml", 0.70),
        ("hancock/histology.yaml", 0.52),
        ("hancock/recipe.yaml", 0.65),
        ("metabric/recipe.yaml", 0.63),
    ],
)
def test_not_below_the_ridge_model(
    recipe: str, published: float, compared: Callable[[str], list[Any]]
) -> None:
    """In the same folds; and the ridge model itself is as good as it is known to be."""
    (one,) = compared(recipe)

    assert one.ridge[0] == pytest.approx(published, abs=0.03)
    assert one.survkit[0] >= one.ridge[0] - TOLERANCE


@pytest.mark.slow
def test_not_below_the_ridge_model_on_other_divisions(
    run: Run, ridge: ModuleType, shared_data: Path
) -> None:
    """The mean over the folds of three more divisions, on which no value was settled."""
    found = []
    for seed in ("10", "11", "12"):
        out = run("hancock/clinical-blood.yaml", "--seed", seed)
        one, _ = ridge.compare_run(
            out, EXAMPLES / "hancock/cohort.yaml", shared_data / "hancock", replicates=2
        )
        found += one

    assert [len(one.by_fold) for one in found] == [5, 5, 5]
    assert ridge.mean_difference(found)[0] >= -TOLERANCE


@pytest.mark.slow
def test_fusing_a_weak_modality_loses_nothing(compared: Callable[[str], list[Any]]) -> None:
    """With the embedding, which alone says almost nothing, clinical + blood keep what they had."""
    (three,), (two,) = (
        compared("hancock/recipe.yaml"),
        compared("hancock/clinical-blood.yaml"),
    )

    assert three.survkit[0] >= two.survkit[0] - TOLERANCE
    assert three.survkit[0] >= two.ridge[0] - TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("recipe", BASELINES)
def test_classical_models_run_in_the_folds_of_the_fusion(run: Run, recipe: str) -> None:
    """The same subjects in the same test parts, and a model that has learnt something."""
    pytest.importorskip("sksurv")
    classical, fusion = (
        Predictions.read(run(each) / "predictions.parquet")
        for each in (recipe, "hancock/recipe.yaml")
    )
    found = evaluate(classical, replicates=0).metric("harrell_concordance_within_folds").pooled

    assert classical.splits_hash == fusion.splits_hash
    assert classical.subject.tolist() == fusion.subject.tolist()
    assert isinstance(found, Estimate)
    assert 0.64 < found.value < 0.76


@pytest.mark.slow
def test_competing_causes_are_told_apart(run: Run, compared: Callable[[str], list[Any]]) -> None:
    """Each cause is predicted as well as by a ridge model of its own, with honest incidences."""
    metrics = json.loads((run("hancock/competing.yaml") / "metrics.json").read_text())

    for one in compared("hancock/competing.yaml"):
        assert one.survkit[0] >= one.ridge[0] - TOLERANCE
        ratio = metrics["causes"][one.cause]["metrics"]["observed_expected_ratio"]["pooled"]
        assert ratio["interval"]["lower"] < 1 < ratio["interval"]["upper"]


@pytest.mark.slow
def test_lung1_is_where_the_literature_is(compared: Callable[[str], list[Any]]) -> None:
    """Published values are 0.55 to 0.65; more would smell of leakage."""
    (one,) = compared("lung1/recipe.yaml")

    assert 0.55 <= one.survkit[0] <= 0.66
    assert one.survkit[0] >= one.ridge[0] - TOLERANCE


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


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["coxph", "deepsurv"])
def test_progression_is_predicted_as_by_a_ridge_model(
    recipe: str, compared: Callable[[str], list[Any]]
) -> None:
    """In the same folds; that both are far from chance is the choice of features, not a result."""
    (one,) = compared(f"robsurv/petct-lung/{recipe}.yaml")

    assert one.ridge[0] == pytest.approx(0.78, abs=0.03)
    assert one.survkit[0] >= one.ridge[0] - TOLERANCE


@pytest.mark.slow
def test_permuted_outcomes_of_lung1_cannot_be_predicted(shared_data: Path, tmp_path: Path) -> None:
    """If outcomes are dealt anew to the subjects, three deals give about one half: no leak."""
    table = pd.read_csv(shared_data / "lung1/clinical.csv", dtype=str)
    found = []
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(len(table))
        dealt = table.copy()
        for column in ("time_days", "event"):
            dealt[column] = table[column].to_numpy()[order]
        path, out = tmp_path / f"{seed}.csv", tmp_path / f"run-{seed}"
        dealt.to_csv(path, index=False)
        line = ["cv", EXAMPLES / "lung1/recipe.yaml", "--cohort", EXAMPLES / "lung1/cohort.yaml"]
        line += ["--data", shared_data / "lung1", "--table", path, "--seed", "0", "--out", out]
        line += ["--set", "training.members=1", "--replicates", "0", "--quiet"]
        assert main([str(word) for word in line]) == 0
        predicted = Predictions.read(out / "predictions.parquet")
        found.append(_concordance(predicted))

    assert abs(np.mean(found) - 0.5) < 0.04, found


def _concordance(table: Predictions) -> float:
    """Return Harrell's concordance of pairs within folds, counted pair by pair."""
    concordant = comparable = 0.0
    for fold in np.unique(table.fold):
        rows = np.flatnonzero(table.fold == fold)
        duration, event = table.duration[rows], table.event[rows] > 0
        score = torch.from_numpy(table.risk_score[rows, 0])
        earlier = torch.from_numpy(event[:, None] & (duration[:, None] < duration[None, :]))
        difference = score[:, None] - score[None, :]
        credit = (difference > 0).double() + 0.5 * (difference == 0).double()
        concordant += float((credit * earlier).sum())
        comparable += float(earlier.sum())
    return concordant / comparable
