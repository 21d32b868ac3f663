"""What a run is worth by its groups of features, measured and looked up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from survkit.data import Cohort
from survkit.importance import importance_run
from survkit.registry import Registry

COLUMNS = ("crp", "ldh", "psa")


REPEATS = 6


def measured(made: Path, registry: Registry, out: Path, run: str, **asked: Any) -> dict[str, Any]:
    """Return the content of ``importance.json`` of a run."""
    cohort = asked.pop("cohort", "cohort.yaml")
    options: dict[str, Any] = {"repeats": REPEATS, "replicates": 100, "registry": registry} | asked
    found = importance_run(made / run, Cohort.read(made / cohort), out=out, **options)
    return dict(found.content)


def by_name(content: dict[str, Any]) -> dict[str, Any]:
    """Return the entries by the name of their group."""
    return {entry["name"]: entry for entry in content["groups"]}
