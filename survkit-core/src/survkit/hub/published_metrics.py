"""What of ``metrics.json`` is published: no names of sites, unless they are asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from survkit.errors import RunError

SITES, LEFT_OUT = "sites", "sites_left_out"
_BY_CAUSE = ("causes", "oracle")
"""Their keys are causes of the event, which may have any name."""


def without_sites(content: Any) -> bytes | None:
    """Return a ``metrics.json`` without the results of each site; ``None`` where it has none.

    All else stays as it is. Under ``sites_left_out`` stands how many sites there were.

    Args:
        content: Of the file.

    Raises:
        RunError: It is no evaluation, but tells of sites.
    """
    names = site_names(content)
    if not names:
        return None
    if not isinstance(content, dict):
        raise RunError("metrics.json: is no evaluation of survkit; write it anew, or delete it")
    told = {
        SITES: len(names),
        "reason": "the results of each site were left out when this file was published, as they "
        "name the sites",
    }
    found = _emptied(content) | {LEFT_OUT: told}
    return (json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def site_names(content: Any) -> set[str]:
    """Return the names of sites that a ``metrics.json`` holds."""
    return {str(name) for held in _held(content, top=True) for name in held}


def check_levels(config: Mapping[str, Any], names: set[str]) -> None:
    """Refuse a configuration that names sites itself, as levels of a column that a model reads.

    Args:
        config: Content of ``config.json``.
        names: Of the sites; mere numbers say nothing of anybody and are passed over.

    Raises:
        RunError: With the column.
    """
    told = {name for name in names if not name.isdecimal()}
    for model in config.get("models", [config]):
        for spec in model["inputs"].values():
            for column in spec["columns"]:
                found = {*map(str, column["levels"] or ())} & told
                if found:
                    raise RunError(
                        f"config.json: the levels of the column '{column['name']}' hold "
                        f"{len(found)} names of sites, which would be published; train without "
                        "that column, or give --with-sites (with_sites=True)"
                    )


def _held(content: Any, *, top: bool = False) -> Iterator[Mapping[str, Any] | list[Any]]:
    """Yield whatever lists sites or tells something of each."""
    if isinstance(content, list):
        for one in content:
            yield from _held(one)
    elif isinstance(content, dict):
        for key, value in content.items():
            if top and key in _BY_CAUSE and isinstance(value, dict):
                yield from (held for one in value.values() for held in _held(one))
            elif key == SITES and isinstance(value, (dict, list)):
                yield value
            else:
                yield from _held(value)


def _emptied(content: Any, *, top: bool = True) -> Any:
    """Return plain data in which nothing is told of a site; the keys stay."""
    if isinstance(content, list):
        return [_emptied(one, top=False) for one in content]
    if not isinstance(content, dict):
        return content
    found: dict[str, Any] = {}
    for key, value in content.items():
        if top and key in _BY_CAUSE and isinstance(value, dict):
            found[key] = {cause: _emptied(one, top=False) for cause, one in value.items()}
        elif key == SITES and isinstance(value, (dict, list)):
            found[key] = type(value)()
        else:
            found[key] = _emptied(value, top=False)
    return found
