"""Which recipe an estimator trains, and which columns each of its encoders is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from survkit.errors import ConfigError
from survkit.estimator.memory_cohort import InputColumns
from survkit.recipe import Recipe
from survkit.registry import Registry


def read_plan(
    recipe: Recipe | Mapping[str, Any] | str | Path, changes: Mapping[str, Any] | None
) -> Recipe:
    """Return the recipe with the values at dotted paths changed.

    Raises:
        ConfigError: The recipe is none, or that of a baseline, or a change does not fit.
    """
    if changes is not None and not isinstance(changes, Mapping):
        raise ConfigError(
            "changes must map dotted paths to values, such as {'training.epochs': 20}, not "
            f"{changes!r}"
        )
    texts = [f"{path}={json.dumps(_plain(value))}" for path, value in (changes or {}).items()]
    if isinstance(recipe, str | Path):
        plan = Recipe.read(recipe, overrides=texts)
    elif isinstance(recipe, Recipe):
        plan = Recipe.parse(recipe.to_dict(), source="recipe", overrides=texts)
    elif isinstance(recipe, Mapping):
        plan = Recipe.parse(dict(recipe), source="recipe", overrides=texts)
    else:
        raise ConfigError(
            "recipe must be a survkit.Recipe, a mapping, a file or the name of an installed "
            f"recipe, not {type(recipe).__name__}"
        )
    if plan.baseline is not None:
        raise ConfigError(
            f"the baseline '{plan.baseline.use}' is an estimator of scikit-survival already; "
            "SurvivalEstimator trains networks"
        )
    return plan


def read_inputs(
    plan: Recipe,
    modalities: Mapping[str, Any] | None,
    columns: Sequence[str],
    registry: Registry,
) -> dict[str, InputColumns]:
    """Return the columns of each modality of the recipe.

    Without ``modalities`` all columns are given to the only encoder of the recipe. The columns of
    the encoder ``vector`` are an embedding, those of any other a table, unless ``kind`` is said.

    Raises:
        ConfigError: A modality without columns or without an encoder, or an unknown column.
    """
    if modalities is None:
        if len(plan.modalities) > 1:
            raise ConfigError(
                f"the recipe reads {', '.join(plan.modalities)}; say which columns of X each of "
                "them is: modalities={'" + plan.modalities[0] + "': [...], ...}"
            )
        modalities = {plan.modalities[0]: list(columns)}
    missing = [name for name in plan.modalities if name not in modalities]
    foreign = [name for name in modalities if name not in plan.modalities]
    if missing or foreign:
        raise ConfigError(
            f"modalities names {', '.join(modalities) or 'nothing'}, but the recipe reads "
            f"{', '.join(plan.modalities)}; name each of these and no other"
        )
    return {name: _input(plan, name, modalities[name], columns, registry) for name in modalities}


def _input(
    plan: Recipe, name: str, given: Any, columns: Sequence[str], registry: Registry
) -> InputColumns:
    where = f"modalities['{name}']"
    used = [plan.encoders[reader].use for reader in plan.readers[name]]
    encoders = [registry.find("encoder", each).qualified_name for each in used]
    kind: Any = "vector" if "survkit/vector" in encoders else "table"
    if isinstance(given, Mapping):
        if set(given) - {"kind", "columns"} or "columns" not in given:
            raise ConfigError(f"{where} has 'columns' and 'kind', not {', '.join(map(str, given))}")
        kind, given = given.get("kind", kind), given["columns"]
    if kind not in ("table", "vector"):
        raise ConfigError(f"{where}: kind must be 'table' or 'vector', not {kind!r}")
    if isinstance(given, str) or not isinstance(given, Sequence) or not len(given):
        raise ConfigError(f"{where} must be a list of columns, not {given!r}")
    chosen = tuple(columns[each] if _is_place(each, columns) else each for each in given)
    for each in chosen:
        if each not in columns:
            raise ConfigError(f"{where}: X has no column {each!r}; it has {', '.join(columns)}")
    return InputColumns(kind=kind, columns=chosen)


def _is_place(value: object, columns: Sequence[str]) -> bool:
    number = isinstance(value, int | np.integer) and not isinstance(value, bool)
    return number and 0 <= int(value) < len(columns)  # type: ignore[call-overload]


def _plain(value: Any) -> Any:
    """Return a number of numpy, as a grid of parameters holds them, as Python's."""
    return value.item() if isinstance(value, np.generic) else value
