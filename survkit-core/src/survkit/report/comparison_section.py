"""Several runs beside each other: results, the matrix of differences, every pair, and who makes
the difference; from ``comparison.json``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from survkit.evaluation.metric_names import HARRELL, METRICS
from survkit.report.forest_figure import Row, forest_figure
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.part import SectionPart, kept
from survkit.report.tables import Record, Table, flat
from survkit.report.words_of_tests import p_words

_BY_KEY = {item.key: item for item in METRICS}
_PAIR_CAPTION = (
    "First run minus second, with the paired interval: right of the dotted line the first has the "
    "higher value. Whether that is more than chance is said by the Holm-adjusted p-value."
)


def comparison_section(comparison: Numbers, files: PageFiles) -> tuple[SectionPart, ...]:
    """Return the parts of each cause."""
    parts = []
    for position, cause in enumerate(comparison.at("causes"), start=1):
        view = _View(comparison, cause, f"compare-{position}")
        parts += [_models(view, files), _pairs(view, files)]
    return tuple(parts)


class _View:
    """One cause of the comparison."""

    def __init__(self, comparison: Numbers, cause: str, anchor: str) -> None:
        self.numbers, self.cause, self.anchor = comparison, cause, anchor
        self.models: tuple[str, ...] = tuple(comparison.at("models"))
        self.metrics: Mapping[str, Any] = comparison.at("causes", cause, "metrics")
        self.headline = next(iter(self.metrics))
        self.level = float(comparison.at("causes", cause, "settings", "level"))
        several = len(comparison.at("causes")) > 1
        self.suffix = f"-{anchor.removeprefix('compare-')}" if several else ""
        self.of_cause = f": {cause}" if several else ""


def _models(view: _View, files: PageFiles) -> SectionPart:
    rows: list[Row] = [
        (_name(view, model), _results(view, model)[HARRELL], "all" if not place else "other")
        for place, model in enumerate(view.models)
        if HARRELL in _results(view, model)
    ]
    forest = forest_figure(
        rows,
        label=_BY_KEY[HARRELL].label,
        chance=_BY_KEY[HARRELL].chance,
        caption="Each run with its own interval, and the modalities it reads. Diamond: the run of "
        "this page.",
    )
    drawn, tables = kept(files, {f"runs{view.suffix}": forest}, (_model_table(view),))
    return SectionPart(
        anchor=f"{view.anchor}-runs",
        title=f"Results of each run{view.of_cause}",
        pictures=drawn,
        tables=tables,
    )


def _name(view: _View, model: str) -> str:
    modalities = view.numbers.at("models", model, "modalities")
    return f"{model} ({' + '.join(modalities)})" if modalities else model


def _results(view: _View, model: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = view.numbers.at("models", model, "results", view.cause)
    return found


def _model_table(view: _View) -> Table:
    """Return one row per metric and one column per run, with the modalities on top."""
    modalities = [
        " + ".join(view.numbers.at("models", model, "modalities")) or "–" for model in view.models
    ]
    rows: list[tuple[Any, ...]] = [("Modalities", *modalities)]
    records: list[Record] = []
    for metric in METRICS:
        cells = []
        for model in view.models:
            found = _results(view, model).get(metric.key)
            path = ("models", model, "results", view.cause, metric.key)
            cells.append(Markup("–") if found is None else view.numbers.result(*path))
            if found is not None:
                records.append({"metric": metric.key, "run": model} | flat(found))
        if any(metric.key in _results(view, model) for model in view.models):
            rows.append((metric.label, *cells))
    return Table(
        name=f"runs{view.suffix}",
        title=f"Runs{view.of_cause}",
        caption="Each with its own interval. Two intervals that overlap do not say that there is "
        "no difference; the paired tests below ask that.",
        labels=("Metric", *view.models),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def _pairs(view: _View, files: PageFiles) -> SectionPart:
    pairs = view.metrics[view.headline]["pairs"]
    rows: list[Row] = [(_pair(pair), pair["difference"], "pair") for pair in pairs]
    label = f"difference in {view.metrics[view.headline]['label']}"
    forest = forest_figure(rows, label=label, chance=0.0, caption=_PAIR_CAPTION, least=1)
    wanted = (_matrix(view), _pair_table(view), _subject_table(view))
    drawn, tables = kept(files, {f"differences{view.suffix}": forest}, wanted)
    return SectionPart(
        anchor=f"{view.anchor}-pairs",
        title=f"Is one better than another?{view.of_cause}",
        pictures=drawn,
        notes=(Markup(_NOT_SHOWN),),
        tables=tables,
    )


_NOT_SHOWN = (
    "The verdict is that of the paired permutation test over subjects, adjusted for the number of "
    "pairs (Holm). A difference that is not shown is no proof that there is none."
)


def _matrix(view: _View) -> Table:
    """Differences above the diagonal, adjusted p-values below it, own values on it."""
    base = ("causes", view.cause, "metrics", view.headline)
    place = {
        (one["first"], one["second"]): k for k, one in enumerate(view.numbers.at(*base, "pairs"))
    }
    rows = []
    for row in view.models:
        cells: list[Markup] = []
        for column in view.models:
            if row == column:
                cells.append(Markup("<b>{}</b>").format(view.numbers.result(*base, "values", row)))
            elif (row, column) in place:
                path = (*base, "pairs", place[row, column], "difference")
                cells.append(view.numbers.result(*path, style="signed"))
            else:
                cells.append(_adjusted(view, (*base, "pairs", place[column, row])))
        rows.append((row, *cells))
    return Table(
        name=f"matrix{view.suffix}",
        title=f"Every pair in {view.metrics[view.headline]['label']}",
        caption="On the diagonal the value of the run; right of it the difference row minus column "
        "with its interval; left of it the Holm-adjusted p-value of the same pair.",
        labels=("", *view.models),
        rows=tuple(rows),
    )


def _adjusted(view: _View, path: tuple[str | int, ...]) -> Markup:
    p_value = view.numbers.at(*path, "p_holm")
    if p_value is None:
        return Markup('<span class="undefined">not defined</span>')
    words = p_words(view.numbers, *path, "p_holm")
    return Markup("<b>{}</b>").format(words) if p_value <= 1 - view.level else words


def _pair_table(view: _View) -> Table:
    rows, records = [], []
    for key, metric in view.metrics.items():
        for k, pair in enumerate(metric["pairs"]):
            path = ("causes", view.cause, "metrics", key, "pairs", k)
            difference = view.numbers.result(*path, "difference", style="signed")
            rows.append(
                (metric["label"], _pair(pair), difference, _adjusted(view, path), pair["verdict"])
            )
            records.append(
                {"metric": key, "first": pair["first"], "second": pair["second"]}
                | flat(pair["difference"])
                | {"p": pair["permutation"].get("p_value"), "p_holm": pair["p_holm"]}
                | {"verdict": pair["verdict"]}
            )
    return Table(
        name=f"pairs{view.suffix}",
        title=f"All pairs and metrics{view.of_cause}",
        caption="For Brier scores lower is better, so a negative difference speaks for the first "
        "run.",
        labels=("Metric", "Pair", "Difference", "Holm-adjusted p", "Verdict"),
        rows=tuple(rows),
        records=tuple(records),
        stacked=True,
    )


def _subject_table(view: _View) -> Table | None:
    """Who makes the difference in the headline metric."""
    base = ("causes", view.cause, "metrics", view.headline, "pairs")
    events = ["censored", *view.numbers.at("causes", view.cause, "causes")]
    rows, records = [], []
    for k, pair in enumerate(view.numbers.at(*base)):
        for place, one in enumerate(pair["influential"]):
            path = (*base, k, "influential", place)
            share = view.numbers.number(*path, "share", style="signed")
            duration = view.numbers.number(*path, "duration", style="plain")
            rows.append((_pair(pair), one["subject"], share, duration, events[one["event"]]))
            records.append({"pair": _pair(pair), **one, "event": events[one["event"]]})
    if not rows:
        return None
    unit = view.numbers.at("causes", view.cause, "time_unit")
    return Table(
        name=f"subjects{view.suffix}",
        title=f"Which subjects make the difference in {view.metrics[view.headline]['label']}",
        caption="The largest shares of each difference; the shares of all subjects add up to it. "
        "This table names subjects: leave it out where the page goes to others.",
        labels=("Pair", "Subject", "Share", f"Duration ({unit})", "Event"),
        rows=tuple(rows),
        records=tuple(records),
        folded=True,
    )


def _pair(pair: Mapping[str, Any]) -> str:
    return f"{pair['first']} − {pair['second']}"
