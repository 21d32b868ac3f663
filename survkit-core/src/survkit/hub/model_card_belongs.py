"""Whether the numbers that lie beside a model are of it, and in which sense."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from survkit.hub.description import ModelDescription

FINAL = "final"
"""Among the facts of the training, of a model that stands for a whole cross-validation."""
Of = Literal["fold", "procedure", "external"]
"""What numbers are of: a model of a fold, and beside it all folds together; all folds together, of
which the model at hand is a refit or an ensemble; the model itself, on another cohort."""


@dataclass(frozen=True, slots=True)
class NotOfIt:
    """Numbers that are of another model."""

    reason: str


def numbers_of(content: Any, description: ModelDescription, weights: str) -> Of | NotOfIt:
    """Return what the numbers are of, or why they are not the model's.

    Args:
        content: Of ``metrics.json``.
        description: Of the model that it lies beside.
        weights: sha256 of its weights.

    Raises:
        KeyError: The file is damaged; TypeError or AttributeError likewise.
    """
    from survkit.evaluation.evaluation import FORMAT  # slow to import, and rarely needed

    if not isinstance(content, dict) or content.get("format") != FORMAT:
        return _not("is of another version of survkit")
    outcome, facts = description.outcome, description.training
    same = (outcome.horizon, outcome.time_unit, outcome.causes) == (
        content.get("horizon"), content.get("time_unit"), tuple(content.get("causes", ())),
    )  # fmt: skip
    if "external" in content:
        if same and content["external"]["weights_sha256"] == weights:
            return "external"
        return _not("is of other weights, or of another outcome")
    if FINAL in facts:
        if same and _is_of_procedure(content, facts):
            return "procedure"
        return _not("is not of its cross-validation, as recipe, outcome or number of folds differ")
    if same and _is_of_fold(content, facts):
        return "fold"
    return _not("is not one of its own cross-validation, as splits, seed, recipe or outcome differ")


def _not(reason: str) -> NotOfIt:
    return NotOfIt(
        f"the evaluation that lies beside the model {reason}, so no number of it is told here"
    )


def _is_of_procedure(content: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    final, recipe = facts[FINAL], facts.get("recipe")
    title = recipe.get("title") if isinstance(recipe, Mapping) else None
    stated = (content.get("splits_hash"), content.get("repeats"), content.get("folds"))
    known = (final.get("splits_sha256"), final.get("repeats"), final.get("folds"))
    return None not in known and stated == known and title in (None, "", content.get("model"))


def _is_of_fold(content: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    seed, splits = facts.get("seed"), facts.get("splits_sha256")
    if splits is None or not isinstance(seed, list) or len(seed) != 3:
        return False
    stated = (content.get("splits_hash"), content.get("run_seed"), content.get("model"))
    return stated == (splits, seed[0], _title(facts))


def _title(facts: Mapping[str, Any]) -> str | None:
    """Return how evaluations call the model; ``None`` where its recipe is not known."""
    recipe = facts.get("recipe")
    if not isinstance(recipe, Mapping):
        return None
    if recipe.get("title"):
        return str(recipe["title"])
    from survkit.recipe import Recipe
    from survkit.training.fold_predictions import untitled

    return untitled(Recipe.parse(dict(recipe), source="the recipe of the model"))
