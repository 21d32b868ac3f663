"""The results of one cause: metrics, risk groups, calibration, times, sites and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import HARRELL, METRICS, OBSERVED_EXPECTED
from survkit.evaluation.predictions import Predictions
from survkit.report.beside import beside_rows, beside_table
from survkit.report.calibration_figure import calibration_figure
from survkit.report.curves_figure import curves_figure
from survkit.report.forest_figure import Row, forest_figure
from survkit.report.metric_groups import grouped_metrics, metric_records
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.part import SectionPart, kept
from survkit.report.result_tables import (
    calibration_table,
    fold_name,
    fold_table,
    group_table,
    site_name,
    site_table,
    time_table,
)
from survkit.report.tables import Table
from survkit.report.time_figure import time_figure
from survkit.report.words_of_tests import d_calibration_words, log_rank_words

_BY_KEY = {item.key: item for item in METRICS}
_MOST_FOLDS = 20
"""More folds than these are in the table alone."""
_NO_CALIBRATION = Markup("No calibration picture: nobody was followed up to the horizon.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseSection:
    """The results of one cause."""

    name: str
    anchor: str
    caption: Markup
    groups: tuple[Mapping[str, Any], ...]
    beside: Table | None
    parts: tuple[SectionPart, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseView:
    """One cause of one table, and where its figures and tables go."""

    numbers: Numbers
    predictions: Predictions
    cause: str
    files: PageFiles

    @property
    def position(self) -> int:
        """Event code of the cause."""
        return list(self.numbers.at("causes")).index(self.cause) + 1

    @property
    def anchor(self) -> str:
        """Where links to the section lead."""
        return f"cause-{self.position}"

    @property
    def horizon(self) -> str:
        """The horizon with its unit."""
        return f"{self.numbers.at('horizon'):g} {self.numbers.at('time_unit')}"

    def named(self, name: str) -> str:
        """Return the name of a file: with the cause where there are several."""
        return f"{self.anchor}-{name}" if len(self.numbers.at("causes")) > 1 else name

    def has(self, *path: str) -> bool:
        """Say whether the file of numbers holds something about the cause."""
        return self.numbers.has("causes", self.cause, *path)

    def at(self, *path: str) -> Any:
        """Return what the file of numbers holds about the cause."""
        return self.numbers.at("causes", self.cause, *path)


def cause_section(
    numbers: Numbers, predictions: Predictions, cause: str, files: PageFiles
) -> CauseSection:
    """Collect what is said about one cause."""
    view = CauseView(numbers=numbers, predictions=predictions, cause=cause, files=files)
    metrics = Table(
        name=view.named("metrics"),
        title=f"Metrics of {cause}",
        caption="",
        labels=(),
        rows=(),
        records=metric_records(numbers, cause),
    )
    files.table(metrics)
    beside = beside_table(numbers, cause, name=view.named("beside-other-models"))
    parts = (_risk_groups(view), _calibration(view), _over_time(view), _sites_and_folds(view))
    return CauseSection(
        name=cause,
        anchor=view.anchor,
        caption=Markup("{} subjects, {} events ({}), of them {} by {} {}.").format(
            numbers.number("subjects", style="count"),
            numbers.number("causes", cause, "events", style="count"),
            cause,
            numbers.number("causes", cause, "events_by_horizon", style="count"),
            numbers.number("horizon", style="plain"),
            numbers.at("time_unit"),
        ),
        groups=grouped_metrics(numbers, cause),
        beside=None if beside is None else files.table(beside),
        parts=tuple(part for part in parts if part),
    )


def _risk_groups(view: CauseView) -> SectionPart:
    level = view.numbers.at("settings", "level")
    drawn = curves_figure(view.predictions, cause=view.position, level=level)
    table = group_table(view.numbers, view.cause, name=view.named("risk-groups"))
    pictures, tables = kept(view.files, {view.named("curves-by-risk"): drawn}, (table,))
    return SectionPart(
        anchor=f"{view.anchor}-groups",
        title="Groups of predicted risk",
        pictures=pictures,
        notes=log_rank_words(view.numbers, view.cause),
        tables=tables,
    )


def _calibration(view: CauseView) -> SectionPart:
    groups = view.at("calibration")
    curve = view.at("calibration_curve") if view.has("calibration_curve") else None
    drawn = calibration_figure(groups, curve=curve, cause=view.cause, horizon=view.horizon)
    table = calibration_table(view.numbers, view.cause, name=view.named("calibration"))
    pictures, tables = kept(view.files, {view.named("calibration"): drawn}, (table,))
    notes = () if drawn is not None else (_NO_CALIBRATION,)
    if curve is not None and "reason" in curve:
        said = Markup("No smooth calibration curve: {}.").format(str(curve["reason"]).rstrip("."))
        notes = (*notes, said)
    return SectionPart(
        anchor=f"{view.anchor}-calibration",
        title="Calibration",
        pictures=pictures,
        notes=(*notes, *d_calibration_words(view.numbers, view.cause)),
        tables=tables,
    )


def _over_time(view: CauseView) -> SectionPart:
    found = view.at("over_time") if view.has("over_time") else {}
    unit = view.numbers.at("time_unit")
    pictures, tables = {}, []
    for key, points in found.items():
        metric = _BY_KEY.get(key)
        label = _without_time(metric.label) if metric else key.replace("_", " ").capitalize()
        chance = metric.chance if metric else None
        name = view.named(f"over-time-{key}")
        pictures[name] = time_figure(points, label=label, unit=unit, chance=chance)
        tables.append(time_table(view.numbers, view.cause, key, label=label, name=name))
    drawn, made = kept(view.files, pictures, tuple(tables))
    return SectionPart(anchor=f"{view.anchor}-time", title="Over time", pictures=drawn, tables=made)


def _without_time(label: str) -> str:
    return label.removesuffix(" at the horizon").removesuffix(", at the horizon")


def _sites_and_folds(view: CauseView) -> SectionPart:
    held = view.at("metrics")
    pictures = {
        view.named("forest-concordance"): forest_figure(
            _forest_rows(view), label=_BY_KEY[HARRELL].label, chance=_BY_KEY[HARRELL].chance
        )
    }
    ratio = held.get(OBSERVED_EXPECTED)
    if ratio is not None and len(ratio["sites"]) > 1:
        rows: list[Row] = [("all subjects", ratio["pooled"], "all")]
        rows += [(site_name(name), result, "part") for name, result in ratio["sites"].items()]
        label = _BY_KEY[OBSERVED_EXPECTED].label
        pictures[view.named("forest-calibration")] = forest_figure(rows, label=label, chance=1.0)
    tables = (
        site_table(view.numbers, view.cause, name=view.named("sites")),
        fold_table(view.numbers, view.cause, name=view.named("folds")),
    )
    drawn, made = kept(view.files, pictures, tables)
    title = "Sites and folds" if len(view.numbers.at("sites")) > 1 else "Folds"
    return SectionPart(anchor=f"{view.anchor}-sites", title=title, pictures=drawn, tables=made)


def _forest_rows(view: CauseView) -> list[Row]:
    metric = view.at("metrics", HARRELL)
    rows: list[Row] = [("all subjects", metric["pooled"], "all")]
    rows += beside_rows(view.numbers, view.cause)
    rows += [(site_name(name), result, "part") for name, result in metric["sites"].items()]
    repeated = view.numbers.at("repeats") > 1
    if 1 < len(metric["folds"]) <= _MOST_FOLDS:
        rows += [(fold_name(fold, repeated), fold, "part") for fold in metric["folds"]]
    return rows
