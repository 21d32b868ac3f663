"""``table.md``, ``table.csv`` and ``result.json`` of an experiment."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.reproduction.markdown_cells import UNKNOWN, line

RESULT_FILE, CSV_FILE, TEXT_FILE = "result.json", "table.csv", "table.md"


def write_tables(content: Mapping[str, Any], folder: Path) -> None:
    """Write the three files, each whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / RESULT_FILE, text.encode())
    write_bytes(folder / CSV_FILE, as_csv(content).encode())
    write_bytes(folder / TEXT_FILE, as_markdown(content).encode())


def as_csv(content: Mapping[str, Any]) -> str:
    """Return one line per part and measure; what is not known is empty."""
    text = io.StringIO()
    names = (
        "part", "measure", "mean", "lowest", "highest", "seeds",
        "reference_lowest", "reference_highest", "reference", "reason",
    )  # fmt: skip
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for part in content["parts"]:
        for each in part["measures"]:
            low, high = each["reference"] or (None, None)
            whose = content["reference"] if each["reference"] else None
            numbers = (each["mean"], each["lowest"], each["highest"], len(each["values"]))
            row = (part["name"], each["name"], *numbers, low, high, whose, each["reason"] or None)
            writer.writerow(row)
    return text.getvalue()


def as_markdown(content: Mapping[str, Any]) -> str:
    """Return the tables and figures for a reader."""
    return "\n".join([*_head(content), *_parts(content), *_figures(content), *_notes(content)])


def _head(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {content['title']}\n"
    yield f"{content['source']}\n"
    seeds = ", ".join(map(str, content["seeds"]))
    settings = ", ".join(
        f"{name} {json.dumps(value, ensure_ascii=False)}"
        for name, value in content["settings"].items()
    )
    yield (
        f"`{content['experiment']}` of {content['distribution']} {content['version']}; "
        f"seeds {seeds}; settings: {settings}.\n"
    )


def _parts(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield a table per part; the column of the reference says whose numbers they are."""
    count = len(content["seeds"])
    ours = "here" if count == 1 else f"here: mean of {count} seeds (lowest to highest)"
    for part in content["parts"]:
        yield f"## {part['name']}\n"
        yield line(("measure", ours, content["reference"]))
        yield line(["---"] * 3)
        for each in part["measures"]:
            yield line((each["name"], _measured(each, count), _expected(each["reference"])))
        yield ""
        undefined = [each for each in part["measures"] if each["reason"]]
        yield from (f"- {each['name']} is not defined, {each['reason']}" for each in undefined)
        if undefined:
            yield ""


def _measured(each: Mapping[str, Any], count: int) -> str:
    if each["mean"] is None:
        return UNKNOWN
    mean, lowest, highest = (_rounded(each[name]) for name in ("mean", "lowest", "highest"))
    return mean if count == 1 else f"{mean} ({lowest} to {highest})"


def _rounded(value: float) -> str:
    """Write three decimals, without the sign of what rounds to zero."""
    return f"{round(value, 3) + 0.0:.3f}"


def _expected(reference: list[float] | None) -> str:
    if reference is None:
        return UNKNOWN
    low, high = reference
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _figures(content: Mapping[str, Any]) -> Iterator[str]:
    for figure in content["figures"]:
        if "file" in figure:
            yield f"![{figure['alt']}]({figure['file']})\n"
            yield f"{figure['caption']}\n"


def _notes(content: Mapping[str, Any]) -> Iterator[str]:
    yield f"{UNKNOWN}: no reference, or not computable. The range over seeds is no interval.\n"
    yield from (f"- {note}" for note in content["notes"])
    yield ""
