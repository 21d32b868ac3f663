"""The groups whose importance is asked: what each model's encoders read, divided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from survkit.errors import PluginError
from survkit.explaining.ask import ask
from survkit.protocols import Prepares
from survkit.showing import NamesFeatureGroups
from survkit.specs import InputSpec

Source = Literal["file", "encoder", "column", "vector", "modality"]
"""Who made the group: the user, the encoder, a column of a table, a vector as a whole, a modality
as a whole (an image, of which no part has a name)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureGroup:
    """Some features of one modality.

    Attributes:
        modality: The modality.
        name: Of the group, within the modality.
        source: Who made it.
        positions: Places on the last axis of what the encoder gets; ``None`` for all that the
            subject has of the modality, whatever its axes.
        columns: Their names, where they have some.
        categorical: Those of them that are categories.
    """

    modality: str
    name: str
    source: Source
    positions: tuple[int, ...] | None
    columns: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name among all groups of the model."""
        whole = self.source in ("vector", "modality")
        return self.modality if whole else f"{self.modality}: {self.name}"


def own_groups(
    encoders: Mapping[str, Any], specs: Mapping[str, InputSpec]
) -> tuple[FeatureGroup, ...]:
    """Return the groups that the model has by itself, modality by modality in sorted order.

    What an encoder names (:class:`survkit.showing.NamesFeatureGroups`); else every column of a
    table, a vector as a whole, an image or volume as a whole.

    Raises:
        PluginError: An encoder names positions that are none, or one of them twice.
    """
    found: list[FeatureGroup] = []
    for modality in sorted(specs):
        found += _of_modality(modality, encoders[modality], specs[modality])
    return tuple(found)


def column_group(
    modality: str, name: str, source: Source, positions: tuple[int, ...], spec: InputSpec
) -> FeatureGroup:
    """Return a group of columns of a table."""
    chosen = [spec.columns[position] for position in positions]
    return FeatureGroup(
        modality=modality,
        name=name,
        source=source,
        positions=positions,
        columns=tuple(column.name for column in chosen),
        categorical=tuple(column.name for column in chosen if column.levels is not None),
    )


def _of_modality(modality: str, encoder: Any, spec: InputSpec) -> list[FeatureGroup]:
    if isinstance(encoder, NamesFeatureGroups):
        named = checked_groups(ask(encoder, "feature_groups"), type(encoder).__name__)
        return [
            FeatureGroup(modality=modality, name=name, source="encoder", positions=positions)
            for name, positions in named.items()
        ]
    plain = not isinstance(encoder, Prepares)
    if plain and spec.kind == "table":
        return [
            column_group(modality, column.name, "column", (place,), spec)
            for place, column in enumerate(spec.columns)
        ]
    if plain and spec.kind == "vector":
        every = tuple(range(spec.shape[0]))
        return [FeatureGroup(modality=modality, name="", source="vector", positions=every)]
    return [FeatureGroup(modality=modality, name="", source="modality", positions=None)]


def checked_groups(found: Any, encoder: str) -> dict[str, tuple[int, ...]]:
    """Return what an encoder named, after refusing what divides nothing into groups.

    Args:
        found: What its ``feature_groups`` gave.
        encoder: Its class, for messages.

    Raises:
        PluginError: No names, no positions, or positions that are not 0, 1, ..., each once.
    """
    where = f"{encoder}.feature_groups must give positions by name"
    if not isinstance(found, Mapping) or not found:
        raise PluginError(f"{where}, not {found!r}; tell its authors")
    owner: dict[int, str] = {}
    for name, positions in found.items():
        if not isinstance(name, str) or not name or not isinstance(positions, tuple):
            raise PluginError(f"{where}, not {name!r}: {positions!r}; tell its authors")
        if not positions:
            raise PluginError(f"{where}, but '{name}' has none; tell its authors")
        for position in positions:
            if not isinstance(position, int) or isinstance(position, bool) or position < 0:
                raise PluginError(f"{where}, not {position!r} in '{name}'; tell its authors")
            if position in owner:
                raise PluginError(
                    f"{where}, each once, but {position} is in '{owner[position]}' and in "
                    f"'{name}'; tell its authors"
                )
            owner[position] = name
    gap = next((place for place in range(len(owner)) if place not in owner), None)
    if gap is not None:
        raise PluginError(f"{where}, all of them, but {gap} is in no group; tell its authors")
    return dict(found)


def check_width(groups: Sequence[FeatureGroup], width: int, encoder: str) -> None:
    """Refuse groups that do not divide all that an encoder gets.

    Args:
        groups: All groups of one modality.
        width: Length of the last axis of what the encoder gets.
        encoder: Its class, for messages.

    Raises:
        PluginError: A position is not there, or in no group.
    """
    named = [place for group in groups for place in group.positions or ()]
    if not named:
        return
    if max(named) >= width:
        owner = next(one for one in groups if max(named) in (one.positions or ()))
        raise PluginError(
            f"{encoder}.feature_groups names position {max(named)} in '{owner.name}', but what it "
            f"gets has {width} on its last axis; tell its authors"
        )
    if len(named) < width:
        raise PluginError(
            f"{encoder}.feature_groups names {len(named)} positions, but what it gets has {width} "
            "on its last axis; tell its authors"
        )
