"""The examples on real cohorts, as typed, beside a ridge Cox model in the same folds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tests.integration.example_files import BASELINES, COHORTS, EXAMPLES, RECIPES

from survkit.cli import main
from survkit.evaluation import Predictions, evaluate
from survkit.metrics import Estimate

TOLERANCE = 0.01
"""How far below the ridge Cox model a concordance may be."""
Run = Callable[..., Path]


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
