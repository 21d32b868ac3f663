"""``stress.json``, ``stress.csv`` and the predictions they were measured on."""

from __future__ import annotations

import csv
import io
import json
import statistics
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.stress.folder import CSV_FILE, STRESS_FILE, TABLES
from survkit.stress.predicted import Predicted

_RESULTS = ("clean", "noisy", "difference", "degradation")


def write_stress(folder: Path, content: Mapping[str, Any], predicted: Predicted) -> None:
    """Write everything that is not a picture into the folder."""
    tables = folder / TABLES
    tables.mkdir(exist_ok=True)
    predicted.clean.write(tables / "clean.parquet")
    for key, table in {**predicted.corrupted, **predicted.subsets}.items():
        table.write(tables / f"{key}.parquet")
    write_bytes(folder / CSV_FILE, table_of(content).encode())
    text = json.dumps(dict(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / STRESS_FILE, text.encode())


def table_of(content: Mapping[str, Any]) -> str:
    """Return one CSV row per corruption and fraction; what is not defined is an empty cell, with
    its reason in the last column.
    """
    head = ["modality", "corruption", "severity", "fraction"]
    for name in _RESULTS:
        head += [name, f"{name}_lower", f"{name}_upper"]
    head += ["seed_sd", "log_rank_p", "reason"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(head)
    for entry in content["corruptions"]:
        for row in entry["fractions"]:
            cells: list[Any] = [entry["modality"], entry["name"], entry["severity"]]
            cells.append(row["fraction"])
            for name in _RESULTS:
                cells += _cells(row[name])
            known = [value for value in row["seeds"] if value is not None]
            cells.append(statistics.stdev(known) if len(known) > 1 else "")
            cells.append(row["log_rank_p"].get("value", ""))
            reasons = [row[name].get("reason") for name in _RESULTS]
            cells.append(next((reason for reason in reasons if reason), ""))
            writer.writerow(cells)
    return buffer.getvalue()


def _cells(result: Mapping[str, Any]) -> list[Any]:
    if "reason" in result:
        return ["", "", ""]
    interval = result["interval"]
    return [
        result["value"],
        "" if interval is None else interval["lower"],
        "" if interval is None else interval["upper"],
    ]
