"""What a refit trains follows from what the folds chose, by arithmetic that can be checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.core.finalizing.toy import recipe

from survkit.data import Fold, Splits
from survkit.errors import RunError
from survkit.finalizing.finished_run import FinishedRun
from survkit.finalizing.refit_recipe import refit_recipe
from survkit.recipe import Recipe
from survkit.training.optimizer import rate_factor

SEARCH = "search={training.optimizer.lr: [0.1, 0.01, 0.001]}"


def finished(
    folder: Path,
    plan: Recipe,
    best: list[Any],
    choices: list[dict[str, Any]] | None = None,
) -> FinishedRun:
    """Write what folds chose, and nothing else of a run."""
    folds = tuple(Fold(0, number, ("a",), (), (str(number),)) for number in range(len(best)))
    run = FinishedRun(
        folder=folder, facts={}, recipe=plan, splits=Splits("toy", {}, folds), metrics=b"{}"
    )
    for number, home in enumerate(run.folds):
        home.mkdir(parents=True)
        facts = {"best_epoch": best[number], "seed": [0, 0, number]}
        facts["splits_sha256"] = run.splits.sha256
        (home / "training.json").write_text(json.dumps(facts))
        if choices is not None:
            (home / "choice.json").write_text(json.dumps(choices[number]))
    return run


def choice(number: int, *scores: float | None) -> dict[str, Any]:
    return {"number": number, "scores": [{"score": score} for score in scores]}


@pytest.mark.parametrize(
    ("best", "epochs"),
    [
        ([[4], [4], [4]], 5),
        ([[0], [1]], 2),  # 1.5: halves are rounded up, also those that would go to an even number
        ([[1], [2]], 3),
        ([[0], [0], [1]], 1),
        ([[9, 19], [9, 23]], 16),  # 10, 20, 10, 24 of two members each
    ],
)
def test_epochs_are_the_mean_of_the_folds(
    best: list[list[int]], epochs: int, tmp_path: Path
) -> None:
    """Epochs are counted from 0 in files, so the best one is one fewer than were trained."""
    found = refit_recipe(finished(tmp_path, recipe("training.epochs=40"), best))

    whole = recipe(f"training.epochs={epochs}", "training.validation=0")
    assert found.recipe == whole
    assert found.facts["fold_epochs"]["fold-1"] == [epoch + 1 for epoch in best[1]]
    assert "chosen" not in found.facts


@pytest.mark.parametrize("warmup", [0, 3])
def test_the_learning_rate_moves_as_in_the_folds(warmup: int, tmp_path: Path) -> None:
    """A cosine over the 40 epochs of the folds, of which 12 are trained, is not squeezed."""
    plan = recipe(
        "training.epochs=40", f"training.schedule={{use: cosine, warmup: {warmup}, final: 0.1}}"
    )
    found = refit_recipe(finished(tmp_path, plan, [[11], [11]])).recipe.training

    assert found.epochs == 12
    rates = [rate_factor(epoch, found.epochs, found.schedule) for epoch in range(12)]
    assert rates == [rate_factor(epoch, 40, plan.training.schedule) for epoch in range(12)]


@pytest.mark.parametrize("use", ["constant", "cosine-restarts"])
def test_a_schedule_that_knows_no_end_stays(use: str, tmp_path: Path) -> None:
    """Its rates do not depend on the number of epochs."""
    plan = recipe("training.epochs=40", f"training.schedule={{use: {use}, period: 4}}")
    found = refit_recipe(finished(tmp_path, plan, [[11], [11]]))

    assert found.recipe.training.schedule == plan.training.schedule


def test_the_search_is_decided_by_all_folds(tmp_path: Path) -> None:
    """The best mean among the values that a fold chose, for the epochs of those folds: 0.01 has the
    mean 0.70, 0.1 has 0.68; 0.001 has 0.71, but nobody knows for how long to train it.
    """
    choices = [
        choice(0, 0.80, 0.60, 0.70),
        choice(1, 0.60, 0.78, 0.72),
        choice(1, 0.64, 0.72, 0.71),
    ]
    found = refit_recipe(finished(tmp_path, recipe(SEARCH), [[0], [2], [4]], choices))

    assert found.facts == {
        "chosen": {"training.optimizer.lr": 0.01},
        "fold_epochs": {"fold-1": [3], "fold-2": [5]},
    }
    assert found.recipe.training.optimizer.lr == 0.01
    assert found.recipe.training.epochs == 4
    assert found.recipe.search == {}


def test_of_losses_the_lowest_mean_is_best(tmp_path: Path) -> None:
    """And of equal ones the first written."""
    plan = recipe(SEARCH, "training.monitor=loss")
    choices = [choice(2, 1.0, 1.0, 0.5), choice(1, 1.0, 0.25, 0.5)]
    lower = refit_recipe(finished(tmp_path / "lower", plan, [[0], [1]], choices))
    choices = [choice(2, 1.0, 0.75, 0.5), choice(1, 1.0, 0.25, 0.5)]
    equal = refit_recipe(finished(tmp_path / "equal", plan, [[0], [1]], choices))

    assert lower.facts["chosen"] == {"training.optimizer.lr": 0.001}
    assert equal.facts["chosen"] == {"training.optimizer.lr": 0.01}


def test_what_diverged_in_a_fold_comes_last(tmp_path: Path) -> None:
    """However well it did elsewhere."""
    choices = [choice(0, 0.9, 0.6, 0.5), choice(1, None, 0.6, 0.5)]
    found = refit_recipe(finished(tmp_path, recipe(SEARCH), [[0], [1]], choices))

    assert found.facts["chosen"] == {"training.optimizer.lr": 0.01}


@pytest.mark.parametrize(
    "broken", [{}, {"number": 9, "scores": []}, {"number": 0, "scores": [{"score": "high"}]}]
)
def test_a_damaged_choice_is_said(broken: dict[str, Any], tmp_path: Path) -> None:
    """No candidate is guessed."""
    run = finished(tmp_path, recipe(SEARCH), [[0], [1]], [broken, choice(0, 0.9, 0.6, 0.5)])

    with pytest.raises(RunError, match=r"choice\.json of a fold is damaged"):
        refit_recipe(run)


@pytest.mark.parametrize("best", [None, [], "x", [None], [1.5], [True], [-1], [40], {}])
def test_an_epoch_that_no_fold_can_have_chosen(best: object, tmp_path: Path) -> None:
    """Neither trained for ever nor for none."""
    run = finished(tmp_path, recipe("training.epochs=40"), [[3], best])

    with pytest.raises(RunError, match=r"fold-1/training.json: damaged: .* from 0 to 39"):
        refit_recipe(run)


def test_what_another_fold_chose_is_not_counted_twice(tmp_path: Path) -> None:
    """A fold's file that was copied into the folder of another."""
    run = finished(tmp_path, recipe("training.epochs=40"), [[3], [9]])
    first, second = (home / "training.json" for home in run.folds)
    second.write_bytes(first.read_bytes())

    with pytest.raises(RunError, match="fold-1: holds a model of another run or fold"):
        refit_recipe(run)
