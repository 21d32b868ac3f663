"""A tournament as a file: a base recipe and axes along which it is varied, recipes by name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from survkit.errors import ConfigError
from survkit.safe_yaml import read_yaml
from survkit.training_config import Count, Section
from survkit.validation import validate

NAME = r"^[A-Za-z0-9][A-Za-z0-9._+=-]*$"
"""Of a composition, which is also that of its folder."""
CHOSEN, INNER = "chosen", "inner"
"""Folders of a tournament that hold no composition."""
_FILES = (".json", ".csv", ".svg", ".html", ".yaml", ".parquet")

CompositionName = Annotated[str, Field(pattern=NAME)]
Values = Annotated[list[Any], Field(min_length=1)]
Labelled = Annotated[dict[CompositionName, dict[str, Any]], Field(min_length=1)]


class NamedComposition(Section):
    """A composition that stands in a tournament under a name of its own.

    Attributes:
        recipe: A registered name, a file or a whole recipe; the tournament's base where ``None``.
        set: Changes of it, ``path=value``, after those of the tournament.
    """

    recipe: str | dict[str, Any] | None = None
    set: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _recipe_alone(cls, data: Any) -> Any:
        return {"recipe": data} if isinstance(data, str) else {} if data is None else data


class TournamentFile(Section):
    """Which compositions compete.

    Attributes:
        title: One line for the page.
        base: The recipe that ``vary`` changes: a registered name, a file or a whole recipe.
        set: Changes of every recipe, ``path=value``. What only a network has (``training.epochs``
            and the like) does not concern baselines, and the other way round.
        vary: The axes; every combination is a composition. An axis is a dotted path of the recipe
            with its values, or any name with labels, each of them ``path: value`` pairs that go
            together.
        objectives: By head, the losses that follow it where an axis changes the head and nothing
            says which losses; else those of :mod:`survkit.tournaments.follow_head`.
        compositions: Further compositions by name.
        reference: The composition that the figure shows the others against; the best where
            ``None``.
        inner_folds: On what the best is chosen inside each training part: 1 for its validation
            part, else an inner cross-validation of so many folds; where ``None``, 1 if all networks
            have chosen alike on the validation part and no baseline competes with them, else 3.
        budget: ``equal`` refuses networks that may take different numbers of optimizer steps;
            ``unequal`` says that this is meant.
    """

    title: str = ""
    base: str | dict[str, Any] | None = None
    set: list[str] = Field(default_factory=list)
    vary: dict[str, Values | Labelled] = Field(default_factory=dict)
    objectives: dict[str, Any] = Field(default_factory=dict)
    compositions: dict[CompositionName, NamedComposition] = Field(default_factory=dict)
    reference: str | None = None
    inner_folds: Count | None = None
    budget: Literal["equal", "unequal"] = "equal"

    @model_validator(mode="after")
    def _something_to_vary(self) -> TournamentFile:
        if self.vary and self.base is None:
            raise ValueError("vary changes the recipe of the key 'base', which is missing")
        if not self.vary and not self.compositions:
            raise ValueError("there is nothing to compare: give vary, compositions or both")
        if self.objectives and not self.vary:
            raise ValueError("objectives are of heads that vary, but there is no vary")
        for name, one in self.compositions.items():
            check_name(name)
            if one.recipe is None and self.base is None:
                raise ValueError(f"compositions.{name}: give a recipe, or the key 'base' for all")
        return self

    @classmethod
    def parse(cls, data: object, *, source: str) -> TournamentFile:
        """Validate plain data.

        Raises:
            ConfigError: One line with the source, the key, what was expected and what came.
        """
        return validate(cls, data, source=source)

    @classmethod
    def read(cls, path: str | Path) -> TournamentFile:
        """Read a file; recipe files it names start from its folder.

        Raises:
            ConfigError: It is missing or wrong.
        """
        place = Path(path)
        found = cls.parse(read_yaml(place), source=str(place))
        named = {
            name: one.model_copy(update={"recipe": _beside(one.recipe, place.parent)})
            for name, one in found.compositions.items()
        }
        base = _beside(found.base, place.parent)
        return found.model_copy(update={"base": base, "compositions": named})


def check_name(name: str) -> None:
    """Refuse a name that is no folder's, or whose folder would stand in the place of the
    tournament's own.

    Raises:
        ConfigError: It has other signs, such as those of a path, or is reserved.
    """
    if re.fullmatch(NAME, name) is None:
        raise ConfigError(
            f"a composition's folder has its name, so it is of letters, digits and . _ + = -, the "
            f"first a letter or digit, not {name!r}; give it another name"
        )
    if name.lower() in (CHOSEN, INNER) or name.lower().endswith(_FILES):
        raise ConfigError(
            f"a composition cannot be named '{name}', which a tournament's folder has for its own "
            "files; give it another name"
        )


def _beside(recipe: Any, folder: Path) -> Any:
    """Let a recipe file start from the folder of the file that names it."""
    if isinstance(recipe, str) and Path(recipe).suffix in {".yaml", ".yml"}:
        return str(folder / recipe)
    return recipe
