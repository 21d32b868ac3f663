"""Whether the validation part may choose the best composition without favouring one beforehand.

A network's epoch, and with ``search_folds: 1`` its values of ``search``, are those of the best
score on the validation part, so its score there is too good: the more so, the more was looked at.
A baseline has chosen nothing there. Where not all have looked alike, the best is chosen on subjects
whom none has looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from survkit.recipe import Recipe
from survkit.training.candidates import candidates

FAIR_FOLDS = 3
"""Inner folds where the validation part would favour somebody. Few, as in a search."""


def inner_folds_of(recipes: Sequence[Recipe], asked: int | None) -> int:
    """Return by how many inner folds the best is chosen: as asked, else 1 (the validation part)
    where that is fair, and otherwise three.
    """
    return asked or (1 if is_fair(recipes) else FAIR_FOLDS)


def is_fair(recipes: Sequence[Recipe]) -> bool:
    """Whether the validation part has had the same part in all recipes."""
    looks = [_looks(recipe) for recipe in recipes]
    return all(one == looks[0] for one in looks)


def _looks(recipe: Recipe) -> Any:
    """Return by what and how often the validation part chooses for a recipe; ``None`` where it
    chooses nothing.
    """
    if recipe.baseline is not None or not recipe.training.validation:
        return None
    tried = [one.training for _, one in candidates(recipe)]
    found = [(one.monitor, one.epochs, one.patience, one.members) for one in tried]
    return found if recipe.training.search_folds == 1 else sorted(set(found), key=str)
