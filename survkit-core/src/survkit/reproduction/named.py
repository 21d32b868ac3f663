"""Whether a name that was asked for is a published table or an experiment."""

from __future__ import annotations

from pathlib import Path

from survkit.errors import ConfigError
from survkit.registry import Registry
from survkit.suggest import close_matches


def names_experiment(name: str, registry: Registry) -> bool:
    """Whether the name is that of an experiment; a file is never one.

    A misspelt name is one if it is closer to an experiment than to any table, so that looking it up
    says which was meant.

    Raises:
        ConfigError: A table and an experiment have the name.
    """
    path = Path(name)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        return False
    named = {
        kind: [each for each in registry.iterate(kind) if name in (each.name, each.qualified_name)]
        for kind in ("reproduction", "experiment")
    }
    if all(named.values()):
        kinds = [f"{kind} {each.full_name!r}" for kind, found in named.items() for each in found]
        raise ConfigError(f"{name!r} is ambiguous: {' and '.join(kinds)}; ask by the full name")
    if any(named.values()):
        return bool(named["experiment"])
    experiments = {each.full_name for each in registry.iterate("experiment")}
    tables = {each.full_name for each in registry.iterate("reproduction")}
    close = close_matches(name, [*tables, *experiments])
    return bool(close) and close[0] in experiments
