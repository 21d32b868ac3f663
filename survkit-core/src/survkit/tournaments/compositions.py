"""The recipes that compete, refused before anything is read where they could not stand in one
table.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from survkit.errors import ConfigError, UserError
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.tournaments.axes import Value, combinations_of, read_axis
from survkit.tournaments.follow_head import follow_head
from survkit.tournaments.tournament_file import TournamentFile, check_name
from survkit.training.alike import check_alike
from survkit.training.candidates import with_seed

_OF_NETWORKS = ("encoders", "fusion", "head", "objective", "training")
_OF_BASELINES = ("baseline", "inputs")
_OF_BOTH = ("training.seed", "training.validation")
_COMPONENTS = ("fusion", "head", "baseline")


@dataclass(frozen=True, slots=True)
class Composition:
    """One that competes.

    Attributes:
        name: Of its folder and in every table.
        recipe: What is trained, with the seed of the run.
        values: By axis, the label of its value; empty for one that was given by name.
    """

    name: str
    recipe: Recipe
    values: Mapping[str, str] = field(default_factory=dict)


def read_compositions(
    asked: TournamentFile, seed: int | None, registry: Registry
) -> list[Composition]:
    """Return the combinations of the axes, then those given by name.

    Args:
        asked: The tournament.
        seed: Instead of the recipes' own.
        registry: Where recipes are looked up.

    Raises:
        ConfigError: A recipe is missing or wrong, two are the same, or they differ in what decides
            who is tested and until when; the message names them.
    """
    made = [*_varied(asked, registry), *_named(asked, registry)]
    found = [
        Composition(one.name, with_seed(one.recipe, seed), one.values)
        for one in made
    ]  # fmt: skip
    check_set(found)
    return found


def check_set(found: Sequence[Composition]) -> None:
    """Refuse names that no folder may have, names and recipes that stand twice, and recipes that
    cannot stand in one table.

    Raises:
        ConfigError: The message names two of them.
    """
    names: set[str] = set()
    texts: dict[str, str] = {}
    for one in found:
        check_name(one.name)
        if one.name in names:
            raise ConfigError(f"two compositions are named '{one.name}'; give one another name")
        names.add(one.name)
        text = json.dumps(one.recipe.to_dict() | {"title": ""}, sort_keys=True)
        if text in texts:
            raise ConfigError(
                f"'{texts[text]}' and '{one.name}' are the same recipe; leave one of them out"
            )
        texts[text] = one.name
    check_alike({one.name: one.recipe for one in found}, kind="composition")


def _varied(asked: TournamentFile, registry: Registry) -> Iterator[Composition]:
    if not asked.vary:
        return
    base = _read(asked.base, asked.set, registry, where="base")
    axes = [read_axis(name, given) for name, given in asked.vary.items()]
    for values in combinations_of(axes):
        name = "+".join(value.label for value in values)
        changes = _changes(base, values, asked.objectives)
        texts = [f"{path}={json.dumps(value)}" for path, value in changes.items()]
        recipe = _parse(base, texts, source=f"composition {name}")
        yield Composition(
            name,
            recipe.model_copy(update={"title": name}),
            {value.axis: value.label for value in values},
        )


def _changes(
    base: Recipe, values: Sequence[Value], objectives: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what differs from the base; a component that is the base's own keeps its settings."""
    changes: dict[str, Any] = {}
    for value in values:
        changes |= {p: v for p, v in value.changes.items() if not _is_own(base, p, v)}
    head = changes.get("head", changes.get("head.use"))
    use = head.get("use") if isinstance(head, dict) else head
    touched = any(path.split(".")[0] == "objective" for value in values for path in value.changes)
    if base.head is not None and isinstance(use, str) and use != base.head.use and not touched:
        terms = [term.model_dump(mode="json") for term in base.objective]
        objective = follow_head(terms, use, objectives)
        if objective is not None:
            changes["objective"] = objective
    return changes


def _is_own(base: Recipe, path: str, value: Any) -> bool:
    """Whether the value is the bare name of the component that the base has there."""
    first, _, name = path.partition(".")
    own = base.encoders.get(name) if first == "encoders" else None
    if path in _COMPONENTS:
        own = getattr(base, path)
    return own is not None and own.use == value


def _named(asked: TournamentFile, registry: Registry) -> Iterator[Composition]:
    for name, one in asked.compositions.items():
        where = f"compositions.{name}"
        given = asked.base if one.recipe is None else one.recipe
        recipe = _read(given, asked.set, registry, where=where, own=one.set)
        yield Composition(name, recipe.model_copy(update={"title": recipe.title or name}))


def _read(
    given: str | dict[str, Any] | None,
    changes: Sequence[str],
    registry: Registry,
    *,
    where: str,
    own: Sequence[str] = (),
) -> Recipe:
    """Read a recipe with those changes that concern its form, then its own."""
    assert given is not None  # the file was validated
    try:
        if isinstance(given, str):
            plain = Recipe.read(given, registry=registry)
        else:
            plain = Recipe.parse(given, source="recipe")
        foreign = _OF_BASELINES if plain.baseline is None else _OF_NETWORKS
        wanted = [
            change
            for change in changes
            if _path(change) in _OF_BOTH or _path(change).split(".")[0] not in foreign
        ]
        return _parse(plain, [*wanted, *own], source=str(given) if isinstance(given, str) else "")
    except UserError as error:
        raise type(error)(f"{where}: {error}") from error


def _path(change: str) -> str:
    return change.partition("=")[0].strip()


def _parse(recipe: Recipe, changes: Sequence[str], *, source: str) -> Recipe:
    if not changes:
        return recipe
    return Recipe.parse(recipe.to_dict(), source=source or "recipe", overrides=changes)
