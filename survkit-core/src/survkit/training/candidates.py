"""Chooses between the values of ``recipe.search`` on the inner validation part."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.atomic_write import write_bytes
from survkit.errors import ConfigError
from survkit.recipe import Recipe

if TYPE_CHECKING:
    from survkit.training.fit_part import Part, PartResult

CHOICE_FILE = "choice.json"
CANDIDATES = "candidates"


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


def fit_best(part: Part, folder: Path) -> tuple[PartResult, dict[str, Any]]:
    """Fit every candidate with the same budget, seed and parts, and keep the best.

    Returns:
        The model, now in the folder, and what was chosen with every candidate's score.

    Raises:
        ConfigError: There is something to choose and no validation part to choose on.
    """
    from survkit.training.fit_part import fit_part

    if not part.recipe.search:
        return fit_part(part, folder), {}
    if not part.validation:
        raise ConfigError("recipe.search chooses on a validation part; set training.validation > 0")
    if part.resume and (folder / CHOICE_FILE).is_file():
        choice = json.loads((folder / CHOICE_FILE).read_text(encoding="utf-8"))
        chosen = candidates(part.recipe)[choice["number"]][1]
        return fit_part(replace(part, recipe=chosen), folder), choice
    tried = [
        (values, one, fit_part(replace(part, recipe=one), folder / CANDIDATES / str(number)))
        for number, (values, one) in enumerate(candidates(part.recipe))
    ]
    lowest = part.recipe.training.monitor == "loss"
    scores = [_score(result) for _, _, result in tried]
    best = min(range(len(tried)), key=lambda n: (scores[n] if lowest else -scores[n], n))
    shutil.copytree(folder / CANDIDATES / str(best), folder, dirs_exist_ok=True)
    choice = {
        "number": best,
        "chosen": tried[best][0],
        "monitor": part.recipe.training.monitor,
        "scores": [{"values": values, "score": _score(result)} for values, _, result in tried],
    }
    write_bytes(folder / CHOICE_FILE, (json.dumps(choice, indent=1) + "\n").encode())
    shutil.rmtree(folder / CANDIDATES)
    return tried[best][2], choice


def _score(result: PartResult) -> float:
    assert result.score is not None  # there is a validation part
    return result.score
