"""Files that a recipe names, as a model keeps them: by name and hash, never by where they lie.

A saved model has the weights themselves, so the file that its training began with is not needed
again: what is kept of it says which file it was, and nothing of the machine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict

from survkit.build import Parts
from survkit.errors import DataError
from survkit.hub.model_files import sha256_of
from survkit.model import SurvivalModel
from survkit.protocols import StartsFromWeights
from survkit.recipe import Recipe
from survkit.records_settings import RecordsSettings


class NamedFile(TypedDict):
    """A file that training began with."""

    name: str
    sha256: str


_PLACE = re.compile(r"(?P<prefix>(?:[a-z_-]{2,}:)?)(?P<path>/.+|~.*|[A-Za-z]:[\\/].+|\\\\.+)", re.S)
"""An absolute path, also behind a prefix such as ``local-dir:``."""


def files_of(recipe: Recipe) -> dict[str, NamedFile]:
    """Return the files that the encoders of a recipe name, by path of the setting.

    Raises:
        DataError: One cannot be read.
    """
    found = {}
    for name, encoder in recipe.encoders.items():
        for path, text in _texts(encoder.settings, f"encoders.{name}"):
            if _is_file(text):
                found[path] = NamedFile(name=Path(text).name, sha256=_sha256(path, Path(text)))
    return found


def without_folders(parts: Parts, model: SurvivalModel) -> Parts:
    """Return the parts with settings from which the network is built where its files are not.

    An encoder that starts from weights reads them in ``load_weights`` alone, so the name of their
    file does as well as its place. What an encoder needs to be built, it replaces itself
    (:class:`survkit.records_settings.RecordsSettings`).
    """
    encoders = {}
    for name, part in parts.encoders.items():
        encoder: object = model.encoders[name]
        settings = dict(part.settings)
        if isinstance(encoder, RecordsSettings):
            settings |= encoder.recorded_settings()
        if isinstance(encoder, StartsFromWeights):
            settings = _changed(settings, _name)
        encoders[name] = replace(part, settings=settings)
    return replace(parts, encoders=encoders)


def recipe_without_folders(recipe: Recipe) -> dict[str, Any]:
    """Return a recipe as plain data that names no folder of this machine."""
    written: dict[str, Any] = _changed(recipe.to_dict(), _bare)
    return written | {"title": recipe.title}  # evaluations name the model by it


def preparation_without_folders(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a cohort file declares of a modality, its own file by name alone."""
    return {
        key: Path(value).name if key == "file" and isinstance(value, str) else value
        for key, value in declared.items()
    }


def _name(text: str) -> str:
    """Return the name of a file, or of what an absolute path says; any other text as it is."""
    return Path(text).name if _is_file(text) or Path(text).is_absolute() else text


def _bare(text: str) -> str:
    """Return a text without the folder, where it is a file or an absolute path."""
    if _is_file(text):
        return Path(text).name
    place = _PLACE.fullmatch(text)
    if place is None:
        return text
    return place["prefix"] + (re.split(r"[\\/]", place["path"].rstrip("\\/"))[-1] or "")


def _is_file(text: str) -> bool:
    """Whether a setting names a file that is there; a name without an ending is a component's."""
    try:
        path = Path(text)
        return bool(path.suffix) and path.is_file()
    except (OSError, ValueError):  # too long for a path, or of another alphabet
        return False


def _sha256(setting: str, path: Path) -> str:
    try:
        return sha256_of(path)
    except OSError as error:
        raise DataError(f"{setting}: {path} cannot be read: {error.strerror}") from error


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield every text in plain data with the path that leads to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}.{number}")


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """Return plain data with every text changed; keys stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: _changed(inner, change) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_changed(inner, change) for inner in value)
    return value
