"""``--set path=value``: change one value of plain settings data."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from survkit.errors import ConfigError
from survkit.safe_yaml import parse_yaml
from survkit.suggest import did_you_mean


def apply_override(data: object, override: str, *, source: str) -> Any:
    """Return the data with the value at a dotted path set.

    ``head=cox`` replaces the whole component, ``head.dropout=0.1`` one setting of it,
    ``objective.0.weight=2`` an item of a list. A last name that is new is added (the schema refuses
    it later if it may not be there); a missing name before it is created for a mapping.

    Raises:
        ConfigError: Not of the form path=value, or the path leads nowhere.
    """
    path, separator, text = override.partition("=")
    parts = path.strip().split(".")
    if not separator or not all(parts):
        raise ConfigError(
            f"an override is path=value, such as training.epochs=20, but found '{override}'"
        )
    value = parse_yaml(text, source=f"--set {path}")
    changed = deepcopy(data)
    _set(changed, parts, value, where=f"{source}: --set {override}")
    return changed


def _set(node: Any, parts: list[str], value: Any, *, where: str) -> None:
    name, rest = parts[0], parts[1:]
    if isinstance(node, list):
        index = _index(name, len(node), where)
        if rest:
            _set(node[index], rest, value, where=where)
        else:
            node[index] = value
        return
    if not isinstance(node, dict):
        raise ConfigError(f"{where}: '{name}' cannot be set inside the plain value {node!r}")
    if not rest:
        node[name] = value
        return
    if isinstance(node.get(name), str):  # a component written as its name alone
        node[name] = {"use": node[name]}
    _set(node.setdefault(name, {}), rest, value, where=where)


def _index(name: str, length: int, where: str) -> int:
    if not name.isdigit() or int(name) >= length:
        known = [str(position) for position in range(length)]
        raise ConfigError(
            f"{where}: '{name}' is no position of a list of {length}. {did_you_mean(name, known)}"
        )
    return int(name)
