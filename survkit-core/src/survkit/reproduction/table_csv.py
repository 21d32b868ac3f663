"""``table.csv``: one line per metric, row and condition; what is not known is empty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from survkit.reproduction.condition import CLEAN
from survkit.reproduction.markdown_cells import printed


def as_csv(content: Mapping[str, Any]) -> str:
    """Return one line per metric, row and condition, clean first; what is not known is empty."""
    text = io.StringIO()
    records = [
        record
        for metric in content["metrics"]
        for row in metric["rows"]
        for record in _records(content, metric, row)
    ]
    writer = csv.DictWriter(text, list(records[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _records(
    content: Mapping[str, Any], metric: Mapping[str, Any], row: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Yield a row's line of every condition."""
    for name, found in {CLEAN: row, **row["conditions"]}.items():
        yield {
            "row": row["label"],
            "metric": metric["key"],
            "condition": name,
            "state": found["state"],
            **_published(content, found),
            "cohort": content["cohort"],
            **_measured(found),
            "reference": content["reference"],
            **_tested(found),
            "recipe": row["recipe"],
            "set": " ".join(row["set"]),
            "left_out": " + ".join(found.get("left_out", [])),
            "reason": found["reason"] or found.get("pooled", {}).get("reason"),
        }


def _published(content: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    published = found["published"] or {}
    columns = found.get("published_columns", {})
    return {
        "published_cohort": content["published_cohort"],
        "published_value": published.get("value"),
        "published_sd": published.get("sd"),
        "published_note": published.get("note"),
        "published_columns": "; ".join(f"{name} {printed(one)}" for name, one in columns.items()),
    }


def _measured(found: Mapping[str, Any]) -> dict[str, Any]:
    folds, pooled = found.get("across_folds", {}), found.get("pooled", {})
    interval, lost = pooled.get("interval") or {}, found.get("degradation", {})
    return {
        "folds_mean": folds.get("mean"),
        "folds_sd": folds.get("sd"),
        "folds_defined": folds.get("defined"),
        "pooled": pooled.get("value"),
        "lower": interval.get("lower"),
        "upper": interval.get("upper"),
        "level": interval.get("level"),
        "degradation": lost.get("value"),
    }


def _tested(found: Mapping[str, Any]) -> dict[str, Any]:
    difference = found.get("difference", {})
    spread = difference.get("interval") or {}
    return {
        "difference": difference.get("value"),
        "difference_lower": spread.get("lower"),
        "difference_upper": spread.get("upper"),
        "permutation_p": found.get("permutation", {}).get("p_value"),
        "permutation_p_holm": found.get("p_holm"),
    }
