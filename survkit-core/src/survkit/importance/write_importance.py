"""``importance.json``, ``importance.csv`` and ``forest.svg``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.report.importance_section import importance_figure
from survkit.report.strip_figure import svg_of

IMPORTANCE_FILE, CSV_FILE, FOREST_FILE = "importance.json", "importance.csv", "forest.svg"
WRITTEN = (IMPORTANCE_FILE, CSV_FILE, FOREST_FILE)
RESULTS = ("importance", "ablation", "gradient")


def write_importance(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the files; there is no picture where no group has a value."""
    text = json.dumps(dict(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / IMPORTANCE_FILE, text.encode())
    write_bytes(folder / CSV_FILE, table_of(content).encode())
    figure = importance_figure(content)
    if figure is not None:
        write_bytes(folder / FOREST_FILE, svg_of(figure))


def table_of(content: Mapping[str, Any]) -> str:
    """Return one CSV row per group; what is not defined is empty, with its reason in a column of
    its own.
    """
    head = ["group", "modality", "columns", "moved"]
    for name in RESULTS:
        head += [name, f"{name}_lower", f"{name}_upper", f"{name}_not_defined"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*head, "repeat_sd"])
    for entry in content["groups"]:
        cells: list[Any] = [entry["name"], entry["modality"], " ".join(entry["columns"])]
        cells.append(entry["moved"])
        for name in RESULTS:
            result = entry[name]
            interval = result.get("interval") or {}
            cells += [
                result.get("value", ""),
                interval.get("lower", ""),
                interval.get("upper", ""),
                result.get("reason", ""),
            ]
        writer.writerow([*cells, "" if entry["repeat_sd"] is None else entry["repeat_sd"]])
    return buffer.getvalue()
