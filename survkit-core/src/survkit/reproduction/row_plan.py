"""The recipes of a table's rows, refused before anything trains where their results could not
stand in one table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from survkit.errors import UserError
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.reproduction.published_table import Row, row_error
from survkit.training.alike import check_alike
from survkit.training.candidates import with_seed


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A row with the recipe that is run for it.

    Attributes:
        row: Of the table.
        recipe: With the changes of the row and of the command, and the seed of the run.
    """

    row: Row
    recipe: Recipe

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the row's model reads."""
        return self.recipe.modalities

    def folder(self, place: Path) -> Path:
        """Return the row's run folder inside that of the table."""
        return place / "rows" / self.row.slug


def plan_rows(
    rows: Sequence[Row], changes: Sequence[str], seed: int | None, registry: Registry
) -> tuple[RowPlan, ...]:
    """Read the recipe of every row.

    Args:
        rows: Those to run.
        changes: ``path=value`` for all of them, applied after their own; a setting of an encoder
            (``encoders.ct.weights=null``) for the rows that have the encoder, if any of them does.
        seed: Instead of the recipes' own.
        registry: Where recipes are looked up.

    Raises:
        ConfigError: A recipe is missing or wrong, or rows differ in what decides who is tested and
            until when; the message names the rows.
    """
    given = [_read(row, (), registry).encoders.keys() for row in rows]
    known = set[str]().union(*given)
    plans = []
    for row, own in zip(rows, given, strict=True):
        concern = [each for each in changes if _encoder(each) not in known - own]
        plans.append(RowPlan(row, with_seed(_read(row, concern, registry), seed)))
    check_alike({plan.row.label: plan.recipe for plan in plans}, kind="row")
    return tuple(plans)


def _read(row: Row, changes: Sequence[str], registry: Registry) -> Recipe:
    try:
        return Recipe.read(row.recipe, registry=registry, overrides=[*row.set, *changes])
    except UserError as error:
        raise row_error(row, error) from error


def _encoder(change: str) -> str | None:
    """Return the encoder of which the change is a setting; None of one that replaces it whole."""
    path = change.partition("=")[0].split(".")
    return path[1] if path[0] == "encoders" and len(path) > 2 and path[2] != "use" else None
