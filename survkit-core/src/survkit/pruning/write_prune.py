"""``prune.json``, ``prune.csv``, ``prune.md``, the kept tokens, and the predictions."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from survkit.atomic_write import write_bytes
from survkit.pruning.choice import Choice, Rule
from survkit.pruning.predicted import Predicted
from survkit.report.shown_result import shown_result

PRUNE_FILE = "prune.json"
CSV_FILE, TEXT_FILE, TOKENS_FILE = "prune.csv", "prune.md", "tokens.csv"
WRITTEN = (
    PRUNE_FILE, CSV_FILE, TEXT_FILE, TOKENS_FILE, "full", *(f"{rule}-*" for rule in get_args(Rule)),
)  # fmt: skip
"""All that is in such a folder, as patterns of names: files, and a folder per row."""
_FACTS = ("rule", "value", "map", "retrained", "kept", "kept_lowest", "kept_highest")
_RESULTS = ("full", "pruned", "difference")
_TIMES = ("seconds_full", "seconds_pruned", "speed_up", "seconds_importance")


def write_tables(folder: Path, predicted: Predicted) -> None:
    """Write the predictions of every row, each in a folder that ``survkit compare`` reads."""
    for key, table in predicted.tables.items():
        (folder / key).mkdir()
        table.write(folder / key / "predictions.parquet")


def write_prune(
    folder: Path, content: Mapping[str, Any], predicted: Predicted, choices: Sequence[Choice]
) -> None:
    """Write the numbers and, where everybody keeps the same, which tokens these are."""
    if predicted.importance:
        write_bytes(folder / TOKENS_FILE, tokens_csv(predicted, choices).encode())
    write_bytes(folder / CSV_FILE, rows_csv(content["rows"]).encode())
    write_bytes(folder / TEXT_FILE, markdown(content).encode())
    text = json.dumps(dict(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / PRUNE_FILE, text.encode())


def tokens_csv(predicted: Predicted, choices: Sequence[Choice]) -> str:
    """Return a line per fold, network and token: its mean importance over the training subjects,
    and whether each rule keeps it (1 or 0).
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["fold", "member", "token", "importance", *(each.key for each in choices)])
    for fold, networks in predicted.importance.items():
        for member, importance in enumerate(networks):
            kept = [predicted.kept[each.key][fold][member].tolist() for each in choices]
            for token, value in enumerate(importance.tolist()):
                writer.writerow([fold, member, token, value, *(int(one[token]) for one in kept)])
    return buffer.getvalue()


def rows_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return a line per row; what is not defined is empty, its reason in the last column."""
    head = list(_FACTS)
    for name in _RESULTS:
        head += [name, f"{name}_lower", f"{name}_upper"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([*head, *_TIMES, "reason"])
    for row in rows:
        cells = [row[name] for name in _FACTS]
        for name in _RESULTS:
            cells += _cells(row[name])
        cells += ["" if row[name] is None else row[name] for name in _TIMES]
        reasons = [row[name].get("reason") for name in _RESULTS]
        writer.writerow([*cells, next((reason for reason in reasons if reason), "")])
    return buffer.getvalue()


LABELS = ("tokens kept", "share", "value", "pruned - full", "s / subject", "faster")
"""Columns of :func:`lines_of`."""


def lines_of(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the table as it is shown: all tokens, then every choice."""
    rows = content["rows"]
    full = (shown_result(rows[0]["full"]), "", f"{rows[0]['seconds_full']:.3g}", "")
    return [("all", "100%", *full), *(_line(row) for row in rows)]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        f"{row['label']}, retrained" if row["retrained"] else str(row["label"]),
        f"{row['kept']:.0%}",
        shown_result(row["pruned"]),
        shown_result(row["difference"], "{:+.3f}"),
        f"{row['seconds_pruned']:.3g}",
        f"{row['speed_up']:.2f} x",
    )


def markdown(content: Mapping[str, Any]) -> str:
    """Return the table with what its columns mean."""
    lines = [
        f"{content['cause']}: {content['metric_label']} of {content['model']}, "
        f"{content['subjects']} test subjects, tokens of '{content['modality']}'.",
        "",
        f"| {' | '.join(LABELS)} |",
        f"|{'---|' * len(LABELS)}",
        *(f"| {' | '.join(cells)} |" for cells in lines_of(content)),
        "",
        *notes(content),
    ]
    return "\n".join(lines) + "\n"


def notes(content: Mapping[str, Any]) -> list[str]:
    """Return what one must know to read the table."""
    found = [
        "pruned - full: paired bootstrap over test subjects; s / subject: the networks' forward on "
        f"{content['device']}, micro-batches of {content['micro_batch']}, reading apart; faster: "
        "than with all tokens, measured in turn."
    ]
    first = content["rows"][0]
    if content["settings"]["map"] == "subject":
        found.append(
            "Each subject's own tokens are chosen by a full forward before, which takes "
            f"{first['seconds_importance']:.3g} s more per subject and is not among the seconds."
        )
    else:
        found.append(
            "The tokens of a fold are chosen by the mean importance over its training subjects."
        )
    reasons = {
        str(row[name]["reason"])
        for row in content["rows"]
        for name in _RESULTS
        if "reason" in row[name]
    }
    return [*found, *(f"Not defined: {reason}." for reason in sorted(reasons))]


def _cells(result: Mapping[str, Any]) -> list[Any]:
    if "reason" in result:
        return ["", "", ""]
    interval = result["interval"]
    bounds = ["", ""] if interval is None else [interval["lower"], interval["upper"]]
    return [result["value"], *bounds]
