"""The content of ``table.json``: every row's published number beside what was measured here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from survkit.comparison import Comparison
from survkit.comparison.comparable_metrics import metric_name
from survkit.data import Cohort
from survkit.reproduction.compare_rows import compare_rows, difference_json
from survkit.reproduction.condition import CLEAN
from survkit.reproduction.condition_numbers import condition_json
from survkit.reproduction.figure_content import figure_json
from survkit.reproduction.published_number import Published
from survkit.reproduction.published_table import Reproduction, Row
from survkit.reproduction.row_condition import ConditionState

FORMAT = "survkit-reproduction/1"
"""Keys may be added under one version, not renamed or removed."""


@dataclass(frozen=True, slots=True)
class RowState:
    """Where a row's run lies, or why it failed.

    Attributes:
        folder: Of a finished run; ``None`` where it failed.
        reason: Why it failed; empty where it did not.
    """

    folder: Path | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """What decides the numbers of a table apart from its rows' runs.

    Attributes:
        column: The paper's data set that ours are set beside; ``None`` for none in particular.
        replicates: Bootstrap resamples of differences; 0 for no intervals.
        permutations: Random swaps of the paired permutation test.
    """

    column: str | None = None
    replicates: int
    permutations: int


def table_content(
    table: Reproduction,
    cohort: Cohort,
    states: Mapping[str, RowState],
    settings: TableSettings,
    conditions: Mapping[str, Mapping[str, ConditionState]] | None = None,
) -> dict[str, Any]:
    """Return all numbers of the table as plain data.

    Args:
        table: What was published.
        cohort: That all rows were run on.
        states: By label; rows without one were not run.
        settings: Of the numbers.
        conditions: By condition and label, what became of the rows under it.
    """
    done = {label: state.folder for label, state in states.items() if state.folder is not None}
    measured = {label: _read(folder / "metrics.json") for label, folder in done.items()}
    tests = {"replicates": settings.replicates, "permutations": settings.permutations}
    compared, why_not = compare_rows(table, done, **tests)
    cause = next(iter(next(iter(measured.values()))["causes"])) if measured else cohort.causes[0]
    under = {
        name: condition_json(table, name, (conditions or {}).get(name, {}), cause, **tests)
        for name in table.conditions
    }
    metrics = [_metric(table, key, cause, states, measured, compared) for key in table.keys]
    for metric in metrics:
        for row in metric["rows"]:
            _add_columns(row, metric, table, settings.column, under)
    return {
        "format": FORMAT,
        "title": table.title,
        "source": table.source,
        "protocol": table.protocol,
        **_cohorts(table, cohort, settings.column),
        "subjects": len(cohort),
        "fingerprint": cohort.fingerprint(),
        "cause": cause,
        "run": _run(next(iter(measured.values()))) if measured else None,
        "settings": tests,
        "reference": table.reference_row.label,
        "no_comparison": why_not,
        "metrics": metrics,
        "conditions": {name: _without_metrics(one) for name, one in under.items()},
        "figure": figure_json(table, conditions or {}, settings.column, cause),
        "notes": list(table.notes),
    }


def _without_metrics(condition: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in condition.items() if key != "metrics"}


def _cohorts(table: Reproduction, cohort: Cohort, column: str | None) -> dict[str, Any]:
    """Return whom the published numbers are about, who was computed on, and what that means."""
    published = table.cohort if column is None else table.columns[column].cohort
    same = table.is_about(column, cohort.name)
    return {
        "published_cohort": published,
        "columns": list(table.columns),
        "column": column,
        "cohort": cohort.name,
        "same_cohort": same,
        "statement": _statement(published, cohort.name, same=same)
        if table.prints_numbers
        else f"Computed on '{cohort.name}'; nothing is published of these rows.",
    }


def _add_columns(
    content: dict[str, Any],
    metric: Mapping[str, Any],
    table: Reproduction,
    column: str | None,
    under: Mapping[str, Mapping[str, Any]],
) -> None:
    """Add to a row what is published by data set, and what was measured under each condition."""
    row = next(each for each in table.rows if each.label == content["label"])
    first = metric["key"] == table.keys[0]

    def printed(condition: str) -> dict[str, Any]:
        found = {name: one.get(condition) for name, one in row.columns.items()} if first else {}
        return {name: _published(one) for name, one in found.items() if one is not None}

    if table.columns:
        content["published_columns"] = printed(CLEAN)
        content["published"] = content["published_columns"].get(column or "")
    content["conditions"] = {
        name: found["rows"].get(row.label, {"state": "not run", "reason": "", "left_out": []})
        | found["metrics"][metric["key"]].get(row.label, {})
        | {"published_columns": printed(name), "published": printed(name).get(column or "")}
        for name, found in under.items()
    }


def _published(found: Published | None) -> dict[str, Any] | None:
    return None if found is None else found.model_dump()


def _metric(
    table: Reproduction,
    key: str,
    cause: str,
    states: Mapping[str, RowState],
    measured: Mapping[str, Mapping[str, Any]],
    compared: Comparison | None,
) -> dict[str, Any]:
    name, first = metric_name(key), key == table.keys[0]
    rows = [_row(row, key, cause, states, measured, compared, first=first) for row in table.rows]
    return {"key": key, "label": name.label, "best": name.best, "rows": rows}


def _statement(published: str, here: str, *, same: bool) -> str:
    if same:
        return (
            f"Computed here on a cohort of the paper's name, '{here}'. Subjects, preparation and "
            "folds may still differ from the paper's."
        )
    return (
        f"ANOTHER COHORT: computed here on '{here}', published on '{published}'. The numbers of "
        "the two are not to be set against each other; only rows of one column can be compared."
    )


def _run(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """Return what all rows share of their evaluation."""
    names = ("splits_hash", "time_unit", "horizon", "repeats", "folds", "censored")
    return {name: metrics[name] for name in names}


def _row(
    row: Row,
    key: str,
    cause: str,
    states: Mapping[str, RowState],
    measured: Mapping[str, Mapping[str, Any]],
    compared: Comparison | None,
    *,
    first: bool,
) -> dict[str, Any]:
    state = states.get(row.label)
    content: dict[str, Any] = {
        "label": row.label,
        "recipe": row.recipe,
        "set": list(row.set),
        "init_from": row.init_from,
        "published": _published(row.published) if first else None,
        "state": "not run" if state is None else "failed" if state.reason else "finished",
        "reason": state.reason if state else "",
    }
    if row.label in measured:
        found = measured[row.label]["causes"][cause]["metrics"][key]
        content |= {name: found[name] for name in ("pooled", "across_folds", "across_repeats")}
        content["run"] = f"rows/{row.slug}"
    return content | difference_json(compared, key, row.label)


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content
