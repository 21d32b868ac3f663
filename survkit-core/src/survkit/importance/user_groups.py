"""Groups of columns that a user made, instead of one group per column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from survkit.errors import ConfigError
from survkit.importance.feature_group import FeatureGroup, column_group
from survkit.importance.settings import Groups
from survkit.safe_yaml import read_yaml
from survkit.specs import InputSpec
from survkit.suggest import did_you_mean

REST = "other columns"
"""What is left of a vector whose other entries are in groups."""

Place = tuple[str, int]
"""Modality and position of a column."""


def with_user_groups(
    groups: Sequence[FeatureGroup],
    asked: str | Path | Groups,
    specs: Mapping[str, InputSpec],
    entries: Mapping[str, Sequence[str]],
) -> tuple[FeatureGroup, ...]:
    """Put the user's groups in the place of the columns they hold.

    A column of a table that is in no group stays one by itself; the entries of a vector that are in
    none stay one together.

    Args:
        groups: What the model has by itself.
        asked: Columns by name of the group, or a YAML file that says so. A column that two
            modalities have is written ``modality.column``.
        specs: What the encoders were built for.
        entries: Names of the entries of vectors, by modality.

    Raises:
        ConfigError: A column does not exist, is in two groups or in two modalities, or a group has
            columns of several modalities or a name that is taken.
    """
    source = "groups" if isinstance(asked, Mapping) else str(asked)
    content = asked if isinstance(asked, Mapping) else read_yaml(Path(asked))
    wanted = _checked(content, source)
    names = _names(groups, specs, entries)
    owner: dict[Place, str] = {}
    for name, chosen in wanted.items():
        for column in chosen:
            place = _find(column, names, f"{source}: group '{name}'")
            if place in owner:
                raise ConfigError(
                    f"{source}: the column '{column}' is in the group '{owner[place]}' and in "
                    f"'{name}', or twice in one; groups must not overlap, so leave it in one"
                )
            owner[place] = name
    _check_modalities(owner, source)
    found: dict[str, FeatureGroup] = {}
    for group in groups:
        for one in _parts(group, owner, names, specs[group.modality]):
            if found.setdefault(one.key, one) != one:
                raise ConfigError(
                    f"{source}: two groups would be called '{one.key}'; name yours otherwise"
                )
    return tuple(found.values())


def _checked(content: Any, source: str) -> dict[str, list[str]]:
    """Return groups as names and columns."""
    if not isinstance(content, Mapping) or not content:
        raise ConfigError(
            f"{source}: give groups as 'name: [column, ...]', one a line, not {content!r}"
        )
    found: dict[str, list[str]] = {}
    for name, columns in content.items():
        listed = isinstance(columns, Sequence) and not isinstance(columns, str)
        if not isinstance(name, str) or not name or not listed or not columns:
            raise ConfigError(
                f"{source}: a group is a name and a list of columns, such as "
                f"'size: [volume, diameter]', not {name!r}: {columns!r}"
            )
        wrong = next((column for column in columns if not isinstance(column, str)), None)
        if wrong is not None:
            raise ConfigError(
                f"{source}: group '{name}': a column is a text, not {wrong!r}; put it in quotes"
            )
        found[name] = list(columns)
    return found


def _names(
    groups: Sequence[FeatureGroup],
    specs: Mapping[str, InputSpec],
    entries: Mapping[str, Sequence[str]],
) -> dict[str, tuple[str, ...]]:
    """Return the columns that can be put into a group, by modality."""
    source = {group.modality: group.source for group in groups}
    tables = {
        modality: tuple(column.name for column in specs[modality].columns)
        for modality, kind in source.items()
        if kind == "column"
    }
    vectors = {
        modality: tuple(entries.get(modality, ()))
        for modality, kind in source.items()
        if kind == "vector"
    }
    return tables | vectors


def _find(column: str, names: Mapping[str, Sequence[str]], where: str) -> Place:
    """Return where a column is that is called by its name, or with its modality in front."""
    places = [
        (modality, own.index(name))
        for modality, own in names.items()
        for name in (column, column.removeprefix(f"{modality}."))
        if name in own
    ]
    places = list(dict.fromkeys(places))
    if len(places) > 1:
        named = " or ".join(f"{modality}.{names[modality][place]}" for modality, place in places)
        raise ConfigError(f"{where}: several columns are called '{column}'; write {named}")
    if places:
        return places[0]
    known = [name for own in names.values() for name in own]
    if not known:
        raise ConfigError(f"{where}: the model reads no named columns, so none is '{column}'")
    raise ConfigError(
        f"{where}: the model reads no column '{column}'. {did_you_mean(column, known)}"
    )


def _check_modalities(owner: Mapping[Place, str], source: str) -> None:
    for name in dict.fromkeys(owner.values()):
        spread = sorted({modality for (modality, _), group in owner.items() if group == name})
        if len(spread) > 1:
            raise ConfigError(
                f"{source}: the group '{name}' has columns of {' and '.join(spread)}; a group lies "
                "within one modality, for a subject may have one of them alone"
            )


def _parts(
    group: FeatureGroup,
    owner: Mapping[Place, str],
    names: Mapping[str, Sequence[str]],
    spec: InputSpec,
) -> list[FeatureGroup]:
    """Return what becomes of one of the model's groups."""
    positions, members = group.positions or (), dict[str, list[int]]()
    for (modality, place), name in sorted(owner.items()):
        if modality == group.modality:
            members.setdefault(name, []).append(place)
    taken = {place: name for name, own in members.items() for place in own}
    if not taken.keys() & set(positions):
        return [group]
    if group.source == "column":
        name = taken[positions[0]]
        return [column_group(group.modality, name, "file", tuple(members[name]), spec)]
    rest = [place for place in positions if place not in taken]
    if rest and REST in members:
        raise ConfigError(f"a group may not be called '{REST}': some columns are in none")
    columns = names[group.modality]
    return [
        FeatureGroup(
            modality=group.modality,
            name=name,
            source="file",
            positions=tuple(own),
            columns=tuple(columns[place] for place in own),
        )
        for name, own in (members | ({REST: rest} if rest else {})).items()
    ]
