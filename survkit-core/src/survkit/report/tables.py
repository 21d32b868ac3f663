"""The tables under the pictures: fold by fold, site by site, by group of predicted risk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import (
    ANTOLINI,
    BRIER,
    HARRELL,
    INTEGRATED_BRIER,
    OBSERVED_EXPECTED,
)
from survkit.report.numbers import Numbers

SHORT_NAMES = {
    HARRELL: "Harrell's C",
    ANTOLINI: "C-td",
    BRIER: "Brier",
    INTEGRATED_BRIER: "Integrated Brier",
    OBSERVED_EXPECTED: "Observed / expected",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with its first column as row headings."""

    title: str
    caption: str
    labels: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def fold_name(fold: Mapping[str, Any], repeated: bool) -> str:
    """Name a fold, with its repeat where there are several."""
    return f"repeat {fold['repeat']}, fold {fold['fold']}" if repeated else f"fold {fold['fold']}"


def fold_table(numbers: Numbers, cause: str) -> Table | None:
    """Every metric of every fold; ``None`` where there is one fold."""
    base = ("causes", cause, "metrics")
    folds = numbers.at(*base, HARRELL, "folds")
    if len(folds) < 2:
        return None
    rows = []
    for position, fold in enumerate(folds):
        row: list[Any] = [fold_name(fold, numbers.at("repeats") > 1)]
        row += [
            numbers.number(*base, HARRELL, "folds", position, name, style="count")
            for name in ("n", "events")
        ]
        for key in SHORT_NAMES:
            path = (*base, key, "folds", position)
            row.append(_value_or_reason(numbers, *path))
        rows.append(tuple(row))
    return Table(
        title="Fold by fold",
        caption="Values of each fold alone, without intervals.",
        labels=("Fold", "Subjects", "Events by horizon", *SHORT_NAMES.values()),
        rows=tuple(rows),
    )


def site_table(numbers: Numbers, cause: str) -> Table | None:
    """Every metric of every site; ``None`` without sites."""
    base = ("causes", cause, "metrics")
    sites = numbers.at("sites")
    if len(sites) < 2:
        return None
    rows = []
    for name in sites:
        row: list[Any] = [name]
        row += [
            numbers.number(*base, HARRELL, "sites", name, count, style="count")
            for count in ("n", "events")
        ]
        row += [numbers.result(*base, key, "sites", name) for key in SHORT_NAMES]
        rows.append(tuple(row))
    return Table(
        title="Site by site",
        caption="Subjects of each site alone; they took part in training the other folds.",
        labels=("Site", "Subjects", "Events by horizon", *SHORT_NAMES.values()),
        rows=tuple(rows),
    )


def group_table(numbers: Numbers, cause: str) -> Table:
    """What was observed in the groups that the curves show."""
    base = ("causes", cause, "risk_groups")
    rows = []
    for position, group in enumerate(numbers.at(*base)):
        counts = [numbers.number(*base, position, name, style="count") for name in ("n", "events")]
        observed = numbers.result(*base, position, style="percent")
        rows.append((group["name"], *counts, observed))
    horizon = f"{numbers.at('horizon'):g} {numbers.at('time_unit')}"
    return Table(
        title="Groups of predicted risk",
        caption=f"Observed probability of {cause} by {horizon}, with intervals.",
        labels=("Predicted risk", "Subjects", "Events by horizon", "Observed"),
        rows=tuple(rows),
    )


def _value_or_reason(numbers: Numbers, *path: str | int) -> Markup:
    if numbers.defined(*path):
        return numbers.number(*path, "value")
    return Markup('<span class="undefined" title="{}">not defined</span>').format(
        numbers.at(*path, "reason")
    )
