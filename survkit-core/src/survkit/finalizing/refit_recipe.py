"""What a refit trains, and for how long: decided by the validation parts of the folds alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor
from pathlib import Path
from typing import Any

from survkit.errors import RunError
from survkit.finalizing.finished_run import FinishedRun
from survkit.recipe import Recipe
from survkit.training.candidates import candidates
from survkit.training.fit_part import RESULT_FILE
from survkit.training.search import CHOICE_FILE


@dataclass(frozen=True, slots=True)
class RefitRecipe:
    """What is trained on everybody.

    Attributes:
        recipe: Without a search and without a validation part.
        facts: Why it is so: ``fold_epochs``, the epochs that validation chose in the folds whose
            values were taken; and ``chosen``, the values of the search.
    """

    recipe: Recipe
    facts: dict[str, Any]


def refit_recipe(run: FinishedRun) -> RefitRecipe:
    """Return the recipe of a run as it is trained on everybody.

    The number of epochs is the mean over the folds (and members) of those that their validation
    parts chose, halves rounded up. The learning rate moves as it did in the folds. Of a search
    those values are taken that scored best in the mean over the inner scores of all folds, among
    the values that a fold chose; their epochs are then the mean over the folds that chose them.

    Raises:
        RunError: A file of a fold is missing or damaged.
    """
    recipe, facts, chosen = run.recipe, dict[str, Any](), list(range(len(run.folds)))
    if recipe.search:
        number, chosen = _best(run)
        values, recipe = candidates(recipe)[number]
        facts["chosen"] = values
    trained = run.fold_facts(RESULT_FILE)
    for fold, folder, found in zip(run.splits.folds, run.folds, trained, strict=True):
        run.check_place(found, fold, folder / RESULT_FILE)
    by_fold = {
        run.folds[one].name: _chosen_epochs(trained[one], recipe, run.folds[one]) for one in chosen
    }
    epochs = [count for counts in by_fold.values() for count in counts]
    facts["fold_epochs"] = by_fold
    return RefitRecipe(_trained_whole(recipe, floor(sum(epochs) / len(epochs) + 0.5)), facts)


def _chosen_epochs(facts: Mapping[str, Any], recipe: Recipe, folder: Path) -> list[int]:
    """Return how many epochs each member of a fold was trained for; they are counted from 0."""
    last, epochs = facts.get("best_epoch"), recipe.training.epochs
    known = isinstance(last, list) and all(type(one) is int and 0 <= one < epochs for one in last)
    if not known or not last:
        raise RunError(
            f"{folder / RESULT_FILE}: damaged: best_epoch is a list of whole numbers from 0 to "
            f"{epochs - 1}, not {str(last)[:40]}"
        )
    return [one + 1 for one in last]


def _trained_whole(recipe: Recipe, epochs: int) -> Recipe:
    """Return the recipe for so many epochs without a validation part.

    A cosine that falls over all epochs of a fold is written as the first cycle of one with
    restarts: its rates do not depend on where training stops.
    """
    training = recipe.training
    if training.schedule.use == "cosine":
        period = max(1, training.epochs - training.schedule.warmup)
        recipe = recipe.with_value("training.schedule.period", period)
        recipe = recipe.with_value("training.schedule.use", "cosine-restarts")
    recipe = recipe.with_value("training.epochs", epochs)
    return recipe.with_value("training.validation", 0.0)


def _best(run: FinishedRun) -> tuple[int, list[int]]:
    """Return the number of the candidate to train, and the folds that chose it.

    A candidate that diverged in a fold comes after all that diverged in fewer; of equal ones the
    first written wins.
    """
    choices = run.fold_facts(CHOICE_FILE)
    sign = 1.0 if run.recipe.training.monitor == "loss" else -1.0
    try:
        ranked = []
        for number in sorted({int(choice["number"]) for choice in choices}):
            scores = [choice["scores"][number]["score"] for choice in choices]
            finite = [sign * float(score) for score in scores if score is not None]
            ranked.append((len(scores) - len(finite), sum(finite) / len(finite), number))
        _, _, best = min(ranked)
        candidates(run.recipe)[best]
    except (KeyError, TypeError, ValueError, IndexError, ZeroDivisionError) as error:
        raise RunError(
            f"{run.folder}: {CHOICE_FILE} of a fold is damaged ({type(error).__name__}: {error})"
        ) from error
    return best, [one for one, choice in enumerate(choices) if choice["number"] == best]
