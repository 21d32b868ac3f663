"""Who was analysed: flow, folds, modalities, sites and table 1, from ``cohort.json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from survkit.report.flow_figure import flow_figure
from survkit.report.numbers import Numbers
from survkit.report.page_files import PageFiles
from survkit.report.tables import Record, Table, tables_of

EVERYBODY = "everybody"
_MANY_EVENTS = 3
"""So many columns need the whole width of the page."""
_MOST_COLUMNS = 20
"""A longer table 1 is opened by who wants it."""
_STATISTICS = ("mean", "sd", "median", "q1", "q3")


def cohort_section(cohort: Numbers, files: PageFiles) -> Mapping[str, Any]:
    """Collect what is said about the subjects."""
    pictures = [files.picture("flow", flow_figure(cohort.metrics))]
    small = tables_of(modality_table(cohort), site_counts(cohort))
    large = tables_of(part_table(cohort), first_table(cohort))
    return {
        "pictures": pictures,
        "follow_up": _groups(cohort) + _follow_up(cohort),
        "narrow": len(cohort.at("events")) < _MANY_EVENTS,
        "small": [files.table(table) for table in small],
        "large": [files.table(table) for table in large],
    }


def first_table(cohort: Numbers) -> Table | None:
    """Return table 1: every column overall and by what happened; ``None`` without a table."""
    columns = cohort.at("table1")
    if not columns:
        return None
    groups = [None, *cohort.at("events")]
    rows: list[tuple[Any, ...]] = []
    for place, column in enumerate(columns):
        base = ("table1", place)
        several = len({one["modality"] for one in columns}) > 1
        name = f"{column['column']} ({column['modality']})" if several else column["column"]
        summary = _numeric if column["kind"] == "numeric" else _known
        rows.append((name, *(summary(cohort, _path(base, group)) for group in groups)))
        for level in column.get("levels", ()):
            cells = [_level(cohort, _path(base, group), level) for group in groups]
            rows.append((Markup('<span class="level">{}</span>').format(level), *cells))
    return Table(
        name="table-1",
        title="Table 1: the subjects, overall and by what happened",
        caption="Numbers: mean (SD), then median [quartiles]; categories: count and share of those "
        "known. What is missing is counted, never filled in here. Levels that fewer than five "
        "subjects share are joined, and statistics of fewer than five values are left out.",
        labels=("Characteristic", *_heads(cohort)),
        rows=tuple(rows),
        records=tuple(_first_records(cohort)),
        folded=len(columns) > _MOST_COLUMNS,
    )


def modality_table(cohort: Numbers) -> Table:
    """Return who has which modality."""
    rows, records = [], []
    for name, found in cohort.at("modalities").items():
        base = ("modalities", name)
        cells = [_share(cohort, (*base, "present"), ("subjects",))]
        for group in cohort.at("events"):
            cells.append(_share(cohort, (*base, "by_event", group), ("events", group)))
        rows.append((f"{name} ({found['kind']})", *cells))
        counts = {EVERYBODY: found["present"], **found["by_event"]}
        records.append({"modality": name, "kind": found["kind"], **counts})
    return Table(
        name="modalities",
        title="Who has which modality",
        caption="Subjects with the modality, and their share. Who lacks one stays in the analysis; "
        "the model is told that it is missing.",
        labels=("Modality", *_heads(cohort)),
        rows=tuple(rows),
        records=tuple(records),
    )


def site_counts(cohort: Numbers) -> Table | None:
    """Return how many subjects each site gave; ``None`` without sites."""
    sites = cohort.at("sites")
    if not sites:
        return None
    rows = [(name, _share(cohort, ("sites", name), ("subjects",))) for name in sites]
    return Table(
        name="sites-subjects",
        title="Sites",
        caption="Subjects of each site.",
        labels=("Site", "Subjects"),
        rows=tuple(rows),
        records=tuple({"site": name, "subjects": n} for name, n in sites.items()),
    )


def part_table(cohort: Numbers) -> Table:
    """Return the sizes of training, validation and test parts, with events."""
    folds = cohort.at("folds")
    repeated = len({fold["repeat"] for fold in folds}) > 1
    rows, records = [], []
    for place, fold in enumerate(folds):
        name = f"fold {fold['fold']}"
        cells = [
            Markup("{} ({})").format(
                cohort.number("folds", place, part, style="count"),
                cohort.number("folds", place, "events", part, style="count"),
            )
            for part in ("train", "validation", "test")
        ]
        rows.append((f"repeat {fold['repeat']}, {name}" if repeated else name, *cells))
        counts = {part: fold[part] for part in ("train", "validation", "test")}
        events = {f"{part}_events": n for part, n in fold["events"].items()}
        records.append({"repeat": fold["repeat"], "fold": fold["fold"], **counts, **events})
    return Table(
        name="folds-subjects",
        title="Training, validation and test parts",
        caption="Subjects (of them with an event). Subjects of the test part take no part in "
        "training or in any choice of their fold.",
        labels=("Fold", "Trained on", "Inner validation", "Tested on"),
        rows=tuple(rows),
        records=tuple(records),
        folded=True,
    )


def _groups(cohort: Numbers) -> Markup:
    """Say how many images there are of how many patients; nothing where rows are patients."""
    if not cohort.at().get("groups"):
        return Markup("")
    return Markup("{} {} of {} {} ({}): all of one are in the same part of every fold. ").format(
        cohort.number("subjects", style="count"),
        cohort.at("groups", "rows_are"),
        cohort.number("groups", "n", style="count"),
        cohort.at("groups", "groups_are"),
        cohort.at("groups", "column"),
    )


def _follow_up(cohort: Numbers) -> Markup:
    if "reason" in cohort.at("follow_up"):
        return Markup("Median follow-up: not defined, {}.").format(cohort.at("follow_up", "reason"))
    return Markup("Median follow-up {} {} ({}).").format(
        cohort.number("follow_up", "median", style="short"),
        cohort.at("follow_up", "unit"),
        cohort.at("follow_up", "method"),
    )


def _heads(cohort: Numbers) -> list[Markup]:
    counts = {EVERYBODY: cohort.number("subjects", style="count")}
    counts |= {name: cohort.number("events", name, style="count") for name in cohort.at("events")}
    head = Markup("{} (n\u00a0=\u00a0{})")
    return [head.format(name, count) for name, count in counts.items()]


def _path(base: tuple[str | int, ...], group: str | None) -> tuple[str | int, ...]:
    return base if group is None else (*base, "by_event", group)


def _numeric(cohort: Numbers, path: tuple[str | int, ...]) -> Markup:
    if "reason" in cohort.at(*path):
        return Markup("–") + _missing(cohort, path)
    mean, sd, median, q1, q3 = (cohort.number(*path, name, style="short") for name in _STATISTICS)
    text = Markup("{} ({})<br>{} [{}, {}]").format(mean, sd, median, q1, q3)
    return text + _missing(cohort, path)


def _known(cohort: Numbers, path: tuple[str | int, ...]) -> Markup:
    return Markup("known: {}").format(cohort.number(*path, "n", style="count")) + _missing(
        cohort, path
    )


def _missing(cohort: Numbers, path: tuple[str | int, ...]) -> Markup:
    if not cohort.at(*path, "missing"):
        return Markup("")
    return Markup('<br><span class="missing">missing: {}</span>').format(
        cohort.number(*path, "missing", style="count")
    )


def _level(cohort: Numbers, path: tuple[str | int, ...], level: str) -> Markup:
    return _share(cohort, (*path, "levels", level), (*path, "n"))


def _share(cohort: Numbers, path: tuple[str | int, ...], of: tuple[str | int, ...]) -> Markup:
    return Markup('<span class="tight">{} ({})</span>').format(
        cohort.number(*path, style="count"), cohort.share(*path, of=of)
    )


def _first_records(cohort: Numbers) -> list[Record]:
    records: list[Record] = []
    for column in cohort.at("table1"):
        parts = {EVERYBODY: column, **column["by_event"]}
        for group, found in parts.items():
            own = {"modality": column["modality"], "column": column["column"], "group": group}
            own |= {"n": found["n"], "missing": found["missing"]}
            if "levels" in found:
                records += [
                    own | {"level": level, "count": n} for level, n in found["levels"].items()
                ]
            else:
                records.append(own | {name: found.get(name) for name in _STATISTICS})
    return records
