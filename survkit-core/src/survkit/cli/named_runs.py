"""Runs on the command line, with the names they are given there: ``RUN`` or ``NAME=RUN``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def named_runs(runs: Sequence[str]) -> dict[str, Path]:
    """Return the runs by name: what was given, else the name of the folder or file.

    Raises:
        ConfigError: A run has no name, or two have the same.
    """
    from survkit.errors import ConfigError

    named: dict[str, Path] = {}
    for run in runs:
        name, given, place = run.partition("=")
        path = Path(place if given else run)
        if not given or Path(run).exists():
            path = Path(run)
            name = _own_name(path)
        if not name:
            raise ConfigError(f"{run!r} gives a run no name; write NAME=RUN")
        if name in named:
            raise ConfigError(
                f"two runs are named {name!r}, {named[name]} and {path}; give them names of their "
                f"own: first={named[name]} second={path}"
            )
        named[name] = path
    return named


def _own_name(path: Path) -> str:
    """Name of the run folder, also where its table is given; of the file for any other table."""
    resolved = path.resolve()
    if path.is_dir():
        return resolved.name
    return resolved.parent.name if resolved.name == "predictions.parquet" else resolved.stem
