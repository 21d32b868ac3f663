"""What the finished networks of a composition were and took, as their folders say."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from survkit.data import Cohort, Splits
from survkit.recipe import Recipe
from survkit.tournaments.budget import steps_per_epoch
from survkit.tournaments.compositions import Composition
from survkit.training.cross_validate import fold_folder
from survkit.training.search import CHOICE_FILE


def spent(one: Composition, cohort: Cohort, splits: Splits, run: Path) -> dict[str, Any] | None:
    """Return parameters, and epochs and steps of the models that were kept; ``None`` for a
    baseline.

    Args:
        one: The composition.
        cohort: With its outcome.
        splits: The outer division.
        run: Its run folder.
    """
    if one.recipe.baseline is not None:
        return None
    epochs = steps = 0
    for fold in splits.folds:
        home = fold_folder(run, splits, fold)
        facts = _read(home / "training.json")
        trained = sum(facts["epochs"])
        train = splits.rows(fold, cohort.subjects).train.tolist()
        epochs += trained
        steps += trained * steps_per_epoch(_chosen(one.recipe, home), cohort, train)
    sizes = list(facts["parts"].values())
    return {
        "parameters": sum(part["parameters"] for part in sizes),
        "trainable": sum(part["trainable"] for part in sizes),
        "epochs": epochs,
        "steps": steps,
    }


def tried_by_baseline(splits: Splits, run: Path) -> int:
    """Return how many settings a baseline tried in a fold at most; 1 where none was to choose."""
    counts = [1]
    for fold in splits.folds:
        file = fold_folder(run, splits, fold) / CHOICE_FILE
        if file.is_file():
            counts.append(len(_read(file)["scores"]))
    return max(counts)


def parts_of(recipe: Recipe) -> dict[str, str]:
    """Return the names of what a composition is made of, by role."""
    if recipe.baseline is not None:
        inputs = " + ".join(item.modality for item in recipe.inputs)
        return {"baseline": recipe.baseline.use, "inputs": inputs}
    assert recipe.head is not None  # a network has one
    found = {f"encoders.{name}": config.use for name, config in recipe.encoders.items()}
    found |= {"fusion": recipe.fusion.use, "head": recipe.head.use}
    return found | {"objective": _terms(recipe.objective)}


def _terms(objective: Sequence[Any]) -> str:
    return " + ".join(getattr(term, "use", None) or f"{term.penalty}" for term in objective)


def _chosen(recipe: Recipe, home: Path) -> Recipe:
    """Return the recipe with what the fold's search chose."""
    if recipe.search:
        for path, value in _read(home / CHOICE_FILE)["chosen"].items():
            recipe = recipe.with_value(path, value)
    return recipe


def _read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found
