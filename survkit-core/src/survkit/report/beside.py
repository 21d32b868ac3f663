"""Other models that the caller set beside this one, such as an oracle or one modality alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import HARRELL, METRICS
from survkit.report.forest_figure import Row
from survkit.report.numbers import Numbers
from survkit.report.tables import Table, flat


def beside_table(numbers: Numbers, cause: str, *, name: str) -> Table | None:
    """Return one row per metric and one column per model; ``None`` without other models."""
    others = _others(numbers, cause)
    if not others:
        return None
    held = numbers.at("causes", cause, "metrics")
    metrics = [
        item
        for item in METRICS
        if item.key in held and any(item.key in found for found in others.values())
    ]
    rows, records = [], []
    for item in metrics:
        own = ("causes", cause, "metrics", item.key, "pooled")
        cells = [numbers.result(*own)]
        records.append({"metric": item.key, "model": numbers.at("model")} | flat(numbers.at(*own)))
        for other, found in others.items():
            path = ("comparison", other, cause, item.key)
            cells.append(numbers.result(*path) if item.key in found else Markup("–"))
            if item.key in found:
                records.append({"metric": item.key, "model": other} | flat(found[item.key]))
        rows.append((item.label, *cells))
    return Table(
        name=name,
        title="Beside other models",
        caption="Each with its own interval; whether a difference is more than chance needs a "
        "paired test, not two intervals.",
        labels=("Metric", str(numbers.at("model")), *others),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def beside_rows(numbers: Numbers, cause: str) -> list[Row]:
    """Return the other models' headline metric for the forest plot."""
    found = _others(numbers, cause)
    return [(name, item[HARRELL], "other") for name, item in found.items() if HARRELL in item]


def _others(numbers: Numbers, cause: str) -> Mapping[str, Any]:
    others = numbers.at("comparison") if numbers.has("comparison") else {}
    return {name: item[cause] for name, item in others.items() if cause in item}
