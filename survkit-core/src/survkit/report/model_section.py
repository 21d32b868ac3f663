"""How large the model is, part by part, from what its training wrote down."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.report.documents import read_facts
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.tables import Table

DOCUMENT = "model.json"


def read_model_sizes(run: Path) -> dict[str, Any] | None:
    """Return the sizes of the first fold's model, and whether another fold's is of another size.

    ``None`` where the run trained no network, or an earlier version wrote no sizes.

    Raises:
        RunError: A ``training.json`` is damaged.
    """
    folders = sorted(run.glob("fold-*"), key=lambda one: [*map(int, re.findall(r"\d+", one.name))])
    found = [read_facts(folder / "training.json") for folder in folders]
    sizes = [facts["parts"] for facts in found if facts is not None and "parts" in facts]
    if not sizes or len(sizes) < len(folders):
        return None
    parts: Mapping[str, Mapping[str, int]] = sizes[0]
    total = {
        name: sum(part[name] for part in parts.values()) for name in ("parameters", "trainable")
    }
    return {
        "format": 1,
        "parts": {role: dict(part) for role, part in parts.items()},
        "total": total,
        "members": len(found[0]["epochs"]) if found[0] is not None else 1,
        "folds_differ": any(one != sizes[0] for one in sizes),
    }


def model_section(sizes: Mapping[str, Any], files: PageFiles) -> Mapping[str, Any]:
    """Return the table of parts and a sentence about them."""
    numbers = Numbers(sizes, DOCUMENT)
    places: list[tuple[str, tuple[str, ...]]] = [
        *((role, ("parts", role)) for role in sizes["parts"]),
        ("in all", ("total",)),
    ]
    rows = [
        (
            label,
            numbers.number(*place, "parameters", style="count"),
            numbers.number(*place, "trainable", style="count"),
        )
        for label, place in places
    ]
    records = [{"part": role, **part} for role, part in sizes["parts"].items()]
    table = Table(
        name="model",
        title="Parameters by part",
        caption="Single weights of one network; those without training keep their first values.",
        labels=("Part", "Parameters", "Trained"),
        rows=tuple(rows),
        records=(*records, {"part": "in all", **sizes["total"]}),
    )
    said = []
    if sizes["members"] > 1:
        said.append(f"{sizes['members']} such networks are averaged.")
    if sizes["folds_differ"]:
        said.append("Folds chose networks of different sizes; this is the first fold's.")
    return {"table": files.table(table), "said": " ".join(said)}
