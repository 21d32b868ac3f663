"""The tables under the pictures: groups, calibration, times, sites, folds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import HARRELL
from survkit.report.metric_groups import shown_metrics
from survkit.report.numbers import Numbers
from survkit.report.tables import Record, Table, flat


def fold_name(fold: Mapping[str, Any], repeated: bool) -> str:
    """Name a fold, with its repeat where there are several."""
    return f"repeat {fold['repeat']}, fold {fold['fold']}" if repeated else f"fold {fold['fold']}"


def site_name(name: str) -> str:
    """Name a site, saying that it is one where the name does not."""
    return name if name.lower().startswith("site") else f"site {name}"


def fold_table(numbers: Numbers, cause: str, *, name: str) -> Table | None:
    """Return every metric of every fold; ``None`` where there is one fold."""
    base = ("causes", cause, "metrics")
    folds = numbers.at(*base, HARRELL, "folds")
    if len(folds) < 2:
        return None
    places = range(len(folds))
    rows: list[tuple[Any, ...]] = [
        (label, *(numbers.number(*base, HARRELL, "folds", k, key, style="count") for k in places))
        for key, label in (("n", "Subjects"), ("events", "Events by the horizon"))
    ]
    records: list[Record] = []
    for item in shown_metrics(numbers, cause):
        cells = [_value_or_reason(numbers, *base, item.key, "folds", k) for k in places]
        rows.append((item.label, *cells))
        for fold in numbers.at(*base, item.key, "folds"):
            where = {"metric": item.key, "repeat": fold["repeat"], "fold": fold["fold"]}
            records.append(where | flat(fold))
    return Table(
        name=name,
        title="Fold by fold",
        caption="Values of each fold alone; the file has their intervals.",
        labels=("", *(fold_name(fold, numbers.at("repeats") > 1) for fold in folds)),
        rows=tuple(rows),
        records=tuple(records),
        folded=True,
    )


def site_table(numbers: Numbers, cause: str, *, name: str) -> Table | None:
    """Return every metric of every site; ``None`` without sites."""
    base = ("causes", cause, "metrics")
    sites = numbers.at("sites")
    if len(sites) < 2:
        return None
    rows: list[tuple[Any, ...]] = [
        (label, *(numbers.number(*base, HARRELL, "sites", s, key, style="count") for s in sites))
        for key, label in (("n", "Subjects"), ("events", "Events by the horizon"))
    ]
    records: list[Record] = []
    for item in shown_metrics(numbers, cause):
        rows.append(
            (item.label, *(numbers.result(*base, item.key, "sites", site) for site in sites))
        )
        for site, found in numbers.at(*base, item.key, "sites").items():
            records.append({"metric": item.key, "site": site} | flat(found))
    return Table(
        name=name,
        title="Site by site",
        caption="Subjects of each site alone; they took part in training the other folds.",
        labels=("", *sites),
        rows=tuple(rows),
        records=tuple(records),
    )


def group_table(numbers: Numbers, cause: str, *, name: str) -> Table:
    """Return what was observed in the groups that the curves show."""
    base = ("causes", cause, "risk_groups")
    rows, records = [], []
    for position, group in enumerate(numbers.at(*base)):
        counts = [numbers.number(*base, position, key, style="count") for key in ("n", "events")]
        observed = numbers.result(*base, position, style="percent")
        rows.append((group["name"], *counts, observed))
        records.append({"group": group["name"]} | flat(group))
    return Table(
        name=name,
        title=f"Observed probability of {cause} by {_horizon(numbers)}",
        caption="By group of predicted risk, with intervals.",
        labels=("Predicted risk", "Subjects", "Events by the horizon", "Observed"),
        rows=tuple(rows),
        records=tuple(records),
    )


def calibration_table(numbers: Numbers, cause: str, *, name: str) -> Table | None:
    """Return predicted and observed probability by group; ``None`` where there is no group."""
    base = ("causes", cause, "calibration")
    groups = numbers.at(*base)
    if not groups:
        return None
    rows, records = [], []
    for position, group in enumerate(groups):
        predicted = numbers.number(*base, position, "predicted", style="percent")
        observed = numbers.result(*base, position, "observed", style="percent")
        size = numbers.number(*base, position, "observed", "n", style="count")
        rows.append((f"group {position + 1}", size, predicted, observed))
        records.append(
            {"group": position + 1, "predicted": group["predicted"]} | flat(group["observed"])
        )
    return Table(
        name=name,
        title=f"Predicted and observed probability of {cause} by {_horizon(numbers)}",
        caption="Subjects in groups of equal size by their predicted probability, low to high.",
        labels=("Group", "Subjects", "Predicted (mean)", "Observed"),
        rows=tuple(rows),
        records=tuple(records),
    )


def time_table(numbers: Numbers, cause: str, key: str, *, label: str, name: str) -> Table | None:
    """Return a metric at its times; ``None`` without times."""
    base = ("causes", cause, "over_time", key)
    points = numbers.at(*base)
    if not points:
        return None
    rows = [
        (numbers.number(*base, k, "time", style="plain"), numbers.result(*base, k))
        for k in range(len(points))
    ]
    return Table(
        name=name,
        title=f"{label} over time",
        caption="With pointwise intervals.",
        labels=(f"Time ({numbers.at('time_unit')})", label),
        rows=tuple(rows),
        records=tuple({"time": point["time"]} | flat(point) for point in points),
        folded=True,
    )


def _horizon(numbers: Numbers) -> str:
    return f"{numbers.at('horizon'):g} {numbers.at('time_unit')}"


def _value_or_reason(numbers: Numbers, *path: str | int) -> Markup:
    if numbers.defined(*path):
        return numbers.number(*path, "value")
    return Markup('<span class="undefined" title="{}">not defined</span>').format(
        numbers.at(*path, "reason")
    )
