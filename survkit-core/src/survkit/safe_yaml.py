"""YAML that cannot surprise: plain data only, no duplicate keys, no aliases, bounded size and
depth.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from survkit.errors import ConfigError

MOST_BYTES = 1_000_000
MOST_DEPTH = 50


def parse_yaml(text: str, *, source: str) -> Any:
    """Parse YAML into plain Python data.

    Args:
        text: The document.
        source: Its file or option name, for messages.

    Raises:
        ConfigError: Not YAML, a duplicate key, an alias (which could expand without bound), or too
            large or deep.
    """
    import yaml

    if len(text) > MOST_BYTES:
        raise ConfigError(
            f"{source}: {len(text):,} characters are more than "
            f"the {MOST_BYTES:,} a settings file may have"
        )
    try:
        node = _compose(text, source)
        return None if node is None else _construct(node, source)
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"{source}: not valid YAML: {reason}") from error


def read_yaml(path: Path) -> Any:
    """Parse a YAML file; see :func:`parse_yaml`."""
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(
                f"{path}: {size:,} bytes are more than the {MOST_BYTES:,} a settings file may have"
            )
        return parse_yaml(path.read_text(encoding="utf-8"), source=str(path))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path} is a folder, but a YAML file is expected") from error
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def _compose(text: str, source: str) -> Any:
    """Build the node tree after a scan that refuses aliases and depth before anything is
    expanded.
    """
    import yaml

    depth = 0
    loader = _loader()
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(f"{source}{_line(event)}: aliases (*{event.anchor}) are not allowed")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MOST_DEPTH:
                raise ConfigError(f"{source}{_line(event)}: nested deeper than {MOST_DEPTH} levels")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return yaml.compose(text, Loader=loader)


@cache
def _loader() -> Any:
    """Return PyYAML's safe loader with the numbers and truth values of YAML 1.2.

    PyYAML speaks YAML 1.1, where ``1e-4`` is a text and ``no`` is false: the one breaks learning
    rates, the other a category of that name.
    """
    import yaml

    class Loader(yaml.CSafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own name
            first: [
                (tag, pattern) for tag, pattern in resolvers if not tag.endswith(("bool", "float"))
            ]
            for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
        }

    number = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|[-+]?\.inf$|\.nan$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|false)$"), list("tf"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", number, list("-+.0123456789"))
    return Loader


def _construct(node: Any, source: str) -> Any:
    """Turn nodes into data by the safe constructor, after refusing duplicate keys."""
    import yaml

    _refuse_duplicates(node, source)
    constructor = yaml.constructor.SafeConstructor()
    return constructor.construct_document(node)


def _refuse_duplicates(node: Any, source: str) -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConfigError(f"{source}{_line(key)}: a key must be a plain name")
            if key.value in seen:
                raise ConfigError(f"{source}{_line(key)}: the key '{key.value}' stands twice")
            seen.add(key.value)
            _refuse_duplicates(value, source)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            _refuse_duplicates(value, source)


def _line(place: Any) -> str:
    """Return where in the document an event or node starts, counted from 1."""
    return "" if place.start_mark is None else f", line {place.start_mark.line + 1}"
