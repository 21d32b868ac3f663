"""What recipes must agree on to be tested in the same folds and compared at the same times."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from survkit.errors import ConfigError
from survkit.recipe import Recipe

_ALIKE: Mapping[str, Callable[[Recipe], object]] = {
    "training.validation": lambda recipe: recipe.training.validation,
    "training.seed": lambda recipe: recipe.training.seed,
    "outcome.unit": lambda recipe: recipe.outcome.unit,
    "outcome.horizon": lambda recipe: recipe.outcome.horizon,
    "outcome.evaluation_points": lambda recipe: recipe.outcome.evaluation_points,
    "outcome.grid": lambda recipe: _evaluated_grid(recipe),
}
"""What decides the division and the times at which predictions are compared."""


def check_alike(recipes: Mapping[str, Recipe], *, kind: str) -> None:
    """Refuse recipes that cannot stand in one table.

    Args:
        recipes: By the name that the message gives them.
        kind: What each is, for the message, such as ``row``.

    Raises:
        ConfigError: With the first two that differ.
    """
    for path, pick in _ALIKE.items():
        values = {name: pick(recipe) for name, recipe in recipes.items()}
        (first, expected), *others = values.items()
        for name, value in others:
            if value != expected:
                raise ConfigError(
                    f"{path} is {expected} in {kind} '{first}' and {value} in {kind} '{name}', but "
                    f"every {kind} is tested in the same folds and until the same time; set it for "
                    f"all with --set {path}={expected}"
                )


def _evaluated_grid(recipe: Recipe) -> dict[str, object] | None:
    """Return the grid where predictions are kept at its edges; elsewhere grids may differ."""
    settings = recipe.outcome
    at_edges = settings.evaluation_points == "edges"
    return settings.grid.model_dump(mode="json") if at_edges else None
