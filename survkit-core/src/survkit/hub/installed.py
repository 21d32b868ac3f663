"""Whether what a model was made with is installed here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from survkit.catalog import providers_of
from survkit.errors import RunError, UnknownComponentError
from survkit.hub.description import ModelDescription, Provider
from survkit.hub.model_files import CONFIG_FILE

if TYPE_CHECKING:
    from survkit.build import Part
    from survkit.registry import Registry

SESSION, UNKNOWN = "this session", "?"
"""Instead of a distribution: added by hand before training; metadata were not there."""
_DISTRIBUTION = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


def check_installed(description: ModelDescription, registry: Registry, folder: Path) -> None:
    """Refuse a model whose components or plugin interface are not here, with the cure.

    An older version of a component is taken at its word; whether the weights fit is seen when they
    are loaded.

    Raises:
        RunError: It was saved with a newer version, or its component is another distribution's.
        UnknownComponentError: A component is not installed.
    """
    _check_api(description, folder)
    for role, part in description.parts:
        _check_part(role, part, description.providers[part.name], registry, folder)


def _check_api(description: ModelDescription, folder: Path) -> None:
    from survkit.plugins import API_VERSION

    if _version(description.api_version, "api_version", folder) > Version(API_VERSION):
        raise RunError(
            f"{folder}: saved with survkit API {description.api_version}, but {API_VERSION} is "
            "installed; pip install --upgrade survkit-core"
        )


def _check_part(role: str, part: Part, stated: Provider, registry: Registry, folder: Path) -> None:
    if stated.distribution in (SESSION, UNKNOWN):
        _check_there(role, part, registry, folder)
        return
    if not _DISTRIBUTION.fullmatch(stated.distribution):
        raise RunError(
            f"{folder / CONFIG_FILE}: {role} is said to be of {stated.distribution!r}, which is no "
            "name of a distribution; get the model from somebody you trust"
        )
    version = _version(stated.version, f"the version of {stated.distribution}", folder)
    try:
        found = registry.find(part.kind, part.name)
    except UnknownComponentError as error:
        raise UnknownComponentError(_cure(role, part, stated, folder)) from error
    if _normal(found.distribution) != _normal(stated.distribution):
        raise RunError(
            f"{folder}: {role} is {part.name} of {stated.distribution}, but here "
            f"{found.distribution} gives that name; uninstall it, or get a model made with it"
        )
    if version > _version(found.version, f"the version of {found.distribution} here", folder):
        raise RunError(
            f"{folder}: {role} was saved with {stated.distribution} {stated.version}, but "
            f"{found.version} is installed; pip install --upgrade {stated.distribution}"
        )


def _check_there(role: str, part: Part, registry: Registry, folder: Path) -> None:
    try:
        registry.find(part.kind, part.name)
    except UnknownComponentError as error:
        raise UnknownComponentError(
            f"{folder}: {role} is {part.name}, which the session that trained the model had added "
            "to its registry; add it here before the model is loaded"
        ) from error


def _cure(role: str, part: Part, stated: Provider, folder: Path) -> str:
    """Return the line that installs it, with a word of care where only the file speaks for it."""
    what = f"{folder}: {role} is {part.name} of {stated.distribution} {stated.version}"
    line = f"{what}, which is not installed; pip install {stated.distribution}"
    known = {_normal(one.distribution) for one in providers_of(part.kind, part.name)}
    if {"survkit-core", *known} & {_normal(stated.distribution)}:
        return line
    return f"{line} (survkit does not know it: look at it before you install what a file names)"


def _version(text: str, what: str, folder: Path) -> Version:
    try:
        return Version(text)
    except InvalidVersion as error:
        raise RunError(f"{folder}: {what}, {text!r}, is no version") from error


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
