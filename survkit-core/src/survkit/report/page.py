"""Everything that the template shows, in its order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

from survkit.evaluation.metric_names import (
    ANTOLINI,
    BRIER,
    HARRELL,
    INTEGRATED_BRIER,
    METRICS,
    MetricName,
)
from survkit.evaluation.predictions import Predictions
from survkit.report.calibration_figure import calibration_figure
from survkit.report.curves_figure import curves_figure
from survkit.report.figure import Picture
from survkit.report.forest_figure import Row, forest_figure
from survkit.report.numbers import Numbers
from survkit.report.tables import SHORT_NAMES, Table, fold_name, fold_table, group_table, site_table

_COMPARED = (HARRELL, ANTOLINI, BRIER, INTEGRATED_BRIER)
_BY_KEY = {item.key: item for item in METRICS}
_BEST = {"highest": "higher", "lowest": "lower", "one": "1"}
_MOST_FOLDS = 20
"""More folds than these are in the table alone."""
_NO_CALIBRATION = "No calibration picture: nobody was followed up to the horizon."


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSection:
    """The results of one cause."""

    name: str
    anchor: str
    caption: Markup
    metrics: tuple[Mapping[str, Any], ...]
    comparison: Mapping[str, Any] | None
    pictures: tuple[Picture, ...]
    notes: tuple[str, ...]
    tables: tuple[Table, ...]


def cause_section(numbers: Numbers, predictions: Predictions, cause: str) -> CauseSection:
    """Collect what is said about one cause."""
    position = list(numbers.at("causes")).index(cause) + 1
    caption = Markup("{} subjects, {} events ({}), of them {} by {} {}.").format(
        numbers.number("subjects", style="count"),
        numbers.number("causes", cause, "events", style="count"),
        cause,
        numbers.number("causes", cause, "events_by_horizon", style="count"),
        numbers.number("horizon", style="plain"),
        numbers.at("time_unit"),
    )
    tables = (fold_table(numbers, cause), site_table(numbers, cause), group_table(numbers, cause))
    pictures = _pictures(numbers, predictions, cause, position)
    groups = numbers.at("causes", cause, "calibration")
    notes = () if any("reason" not in group["observed"] for group in groups) else (_NO_CALIBRATION,)
    return CauseSection(
        name=cause,
        anchor=f"cause-{position}",
        caption=caption,
        metrics=tuple(_metric_row(numbers, cause, item) for item in _metrics(numbers)),
        comparison=_comparison(numbers, cause),
        pictures=pictures,
        notes=notes,
        tables=tuple(table for table in tables if table is not None),
    )


def meanings(numbers: Numbers) -> list[tuple[str, Markup]]:
    """Explain the metrics and the words around them."""
    lines = [(item.label, escape(item.meaning)) for item in _metrics(numbers)]
    lines.append(
        (
            "Interval",
            escape(
                "The range in which the number would mostly fall with other samples of as many "
                "subjects, the trained models being the same."
            ),
        )
    )
    lines.append(
        (
            "Not defined",
            escape("The number cannot be computed from these subjects; it is not zero."),
        )
    )
    return lines


def _metrics(numbers: Numbers) -> tuple[MetricName, ...]:
    """With one fold, pairs within folds are all pairs: shown once."""
    twins = ("harrell_concordance_all_pairs", "antolini_concordance_within_folds")
    single = numbers.at("folds") < 2
    return tuple(item for item in METRICS if not (single and item.key in twins))


def _metric_row(numbers: Numbers, cause: str, item: MetricName) -> Mapping[str, Any]:
    base = ("causes", cause, "metrics", item.key)
    spread = numbers.at(*base, "across_folds")
    across = Markup("{} ({})").format(
        numbers.number(*base, "across_folds", "mean"), numbers.number(*base, "across_folds", "sd")
    )
    if spread["defined"] < spread["of"]:
        across += Markup(" in {} of {} folds").format(
            numbers.number(*base, "across_folds", "defined", style="count"),
            numbers.number(*base, "across_folds", "of", style="count"),
        )
    return {
        "label": item.label,
        "pooled": numbers.result(*base, "pooled"),
        "across_folds": across,
        "across_repeats": numbers.number(*base, "across_repeats", "sd"),
        "best": _BEST[item.best],
    }


def _comparison(numbers: Numbers, cause: str) -> Mapping[str, Any] | None:
    others = numbers.at("comparison") if "comparison" in numbers.metrics else {}
    compared = {name: item[cause] for name, item in others.items() if cause in item}
    if not compared:
        return None
    keys = [key for key in _COMPARED if any(key in item for item in compared.values())]
    own = [numbers.result("causes", cause, "metrics", key, "pooled") for key in keys]
    rows = [{"name": numbers.at("model"), "cells": own, "own": True}]
    for name, item in compared.items():
        cells = [
            numbers.result("comparison", name, cause, key) if key in item else Markup("–")
            for key in keys
        ]
        rows.append({"name": name, "cells": cells, "own": False})
    return {
        "caption": "Each with its own interval; whether a difference is more than chance needs a "
        "paired test, not two intervals.",
        "labels": [SHORT_NAMES[key] for key in keys],
        "rows": rows,
    }


def _pictures(
    numbers: Numbers, predictions: Predictions, cause: str, position: int
) -> tuple[Picture, ...]:
    horizon = f"{numbers.at('horizon'):g} {numbers.at('time_unit')}"
    level = numbers.at("settings", "level")
    found = [
        curves_figure(predictions, cause=position, level=level),
        calibration_figure(
            numbers.at("causes", cause, "calibration"), cause=cause, horizon=horizon
        ),
        forest_figure(
            _forest_rows(numbers, cause),
            label=_BY_KEY[HARRELL].label,
            chance=_BY_KEY[HARRELL].chance,
        ),
    ]
    return tuple(item for item in found if item is not None)


def _forest_rows(numbers: Numbers, cause: str) -> list[Row]:
    metric = numbers.at("causes", cause, "metrics", HARRELL)
    rows: list[Row] = [("all subjects", metric["pooled"], "all")]
    others = numbers.at("comparison") if "comparison" in numbers.metrics else {}
    for name, item in others.items():
        if HARRELL in item.get(cause, {}):
            rows.append((name, item[cause][HARRELL], "other"))
    rows += [(f"site {name}", result, "part") for name, result in metric["sites"].items()]
    repeated = numbers.at("repeats") > 1
    if 1 < len(metric["folds"]) <= _MOST_FOLDS:
        rows += [(fold_name(fold, repeated), fold, "part") for fold in metric["folds"]]
    return rows
