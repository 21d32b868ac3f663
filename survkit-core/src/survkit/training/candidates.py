"""The recipes between which ``recipe.search`` lets every training part choose."""

from __future__ import annotations

from itertools import product
from typing import Any

from survkit.errors import ConfigError
from survkit.recipe import Recipe

NO_VALIDATION = (
    "recipe.search with training.search_folds: 1 chooses on a validation part; set "
    "training.validation > 0, or training.search_folds to 2 or more"
)


def with_seed(recipe: Recipe, seed: int | None) -> Recipe:
    """Return the recipe with another seed, keeping its search."""
    if seed is None:
        return recipe
    if seed < 0:
        raise ConfigError(f"the seed must be 0 or larger, not {seed}")
    training = recipe.training.model_copy(update={"seed": seed})
    return recipe.model_copy(update={"training": training})


def candidates(recipe: Recipe) -> list[tuple[dict[str, Any], Recipe]]:
    """Return every combination of searched values with its recipe, in the order of writing."""
    paths = list(recipe.search)
    found = []
    for values in product(*recipe.search.values()):
        one = recipe
        for path, value in zip(paths, values, strict=True):
            one = one.with_value(path, value)
        found.append((dict(zip(paths, values, strict=True)), one))
    return found


def check_comparable(recipe: Recipe) -> None:
    """Refuse a search whose candidates would be compared by losses of different kinds.

    Raises:
        ConfigError: It chooses by the loss, and changes what the loss is.
    """
    if recipe.training.monitor != "loss":
        return
    for path in recipe.search:
        if path.split(".")[0] in ("objective", "outcome") or path in ("head", "head.use"):
            raise ConfigError(
                f"search.{path}: its candidates have losses of different kinds, which cannot be "
                "compared; set training.monitor to concordance or antolini"
            )
