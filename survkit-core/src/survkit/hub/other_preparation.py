"""How a modality is declared otherwise than where a model was trained, in the words of the file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def other_preparation(source: str, modality: str, key: str, given: Any, trained: Any) -> str:
    """Return the sentence: what is declared, what was in training, and what to write.

    Args:
        source: The cohort file.
        modality: Its name there.
        key: What differs.
        given: Its value in the cohort; ``None`` where the file says nothing.
        trained: Its value in training; likewise.
    """
    if isinstance(given, Mapping) and isinstance(trained, Mapping):  # another modality's grid
        inner = next(one for one in ("of", *trained, *given) if given.get(one) != trained.get(one))
        if inner != "of":
            other = str(trained["of"])
            return other_preparation(source, other, inner, given.get(inner), trained.get(inner))
    given, trained = _name(given), _name(trained)
    where = f"{source}: modalities.{modality}"
    if given is None:
        return (
            f"{where} has no '{key}', but the model was trained with {_plain(trained)}; add "
            f"'{key}: {_plain(trained)}' there"
        )
    if trained is None:
        return (
            f"{where}.{key} is {_plain(given)}, but the model was trained without it; leave out "
            f"'{key}' there"
        )
    return (
        f"{where}.{key} is {_plain(given)}, but the model was trained with {_plain(trained)}; "
        f"declare it alike: '{key}: {_plain(trained)}'"
    )


def _name(value: Any) -> Any:
    """Return what the file says of a grid: whose it is."""
    return value["of"] if isinstance(value, Mapping) and "of" in value else value


def _plain(value: Any) -> str:
    """Return the value as one would write it in YAML."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
