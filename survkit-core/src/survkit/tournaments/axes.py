"""The axes of a tournament, and every combination of their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from survkit.errors import ConfigError
from survkit.tournaments.tournament_file import NAME


@dataclass(frozen=True, slots=True)
class Value:
    """One value of an axis.

    Attributes:
        axis: Path of the recipe, or the name of values that go together.
        label: What a composition of this value is called by.
        changes: Path of the recipe → value.
    """

    axis: str
    label: str
    changes: Mapping[str, Any]


def read_axis(name: str, given: Sequence[Any] | Mapping[str, Mapping[str, Any]]) -> list[Value]:
    """Return the values of an axis with a label each.

    Raises:
        ConfigError: Two values cannot be told apart, or a label has no changes.
    """
    if isinstance(given, Mapping):
        for label, changes in given.items():
            if not changes:
                raise ConfigError(
                    f"vary.{name}.{label}: says no path: value, so it changes nothing"
                )
        return [Value(name, label, dict(changes)) for label, changes in given.items()]
    doubled = [value for number, value in enumerate(given) if value in given[:number]]
    if doubled:
        raise ConfigError(f"vary.{name}: the value {doubled[0]!r} stands twice")
    return [
        Value(name, label, {name: value})
        for label, value in zip(_labels(name, given), given, strict=True)
    ]


def combinations_of(axes: Sequence[Sequence[Value]]) -> list[tuple[Value, ...]]:
    """Return every combination, in the order of writing, the last axis changing fastest.

    Raises:
        ConfigError: Two axes change the same part of the recipe.
    """
    for number, axis in enumerate(axes):
        for other in axes[number + 1 :]:
            _refuse_overlap(axis, other)
    return list(product(*axes)) if axes else []


def _refuse_overlap(first: Sequence[Value], second: Sequence[Value]) -> None:
    for path in {path for value in first for path in value.changes}:
        for other in {path for value in second for path in value.changes}:
            short, long = sorted((path, other), key=len)
            if long == short or long.startswith(f"{short}."):
                raise ConfigError(
                    f"vary.{first[0].axis} and vary.{second[0].axis} both change {short}; write "
                    "values that go together as one axis of labels, each with its path: value pairs"
                )


def _labels(name: str, values: Sequence[Any]) -> list[str]:
    """Return short labels that differ: names without their plugin where that is enough."""
    short = [_label(name, value, whole=False) for value in values]
    if len(set(short)) == len(short):
        return short
    long = [_label(name, value, whole=True) for value in values]
    return long if len(set(long)) == len(long) else [f"{one}.{k}" for k, one in enumerate(long, 1)]


def _label(name: str, value: Any, *, whole: bool) -> str:
    use = value.get("use") if isinstance(value, dict) else value
    if isinstance(use, str):
        text = use if whole else use.rpartition("/")[2]
    else:
        text = f"{name.rpartition('.')[2]}={value}"
    label = re.sub(r"[^A-Za-z0-9._=]+", "-", text).strip("-.")
    return label if re.match(NAME, label) else f"{name.rpartition('.')[2]}.{label}".strip("-.")
