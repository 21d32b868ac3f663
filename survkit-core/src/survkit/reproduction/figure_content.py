"""The numbers behind a table's figure: boxes over folds and seeds, or log-rank tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from survkit.comparison.comparable_metrics import metric_name
from survkit.comparison.table_statistic import TableStatistic
from survkit.evaluation.group_tests import log_rank_of_groups
from survkit.evaluation.observed_groups import first_repeat
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Estimate
from survkit.reproduction.published_figure import PublishedFigure
from survkit.reproduction.published_table import Reproduction
from survkit.reproduction.row_condition import ConditionState

HALVES = 2
"""Groups of a Kaplan–Meier figure: above and below the median rank of the risk within the fold."""


def figure_json(
    table: Reproduction,
    conditions: Mapping[str, Mapping[str, ConditionState]],
    column: str | None,
    cause: str,
) -> dict[str, Any] | None:
    """Return what is drawn of every row that has predictions; ``None`` for a table alone.

    Args:
        table: What was published.
        conditions: By condition and label, what became of the rows under it.
        column: The paper's data set that ours are set beside; ``None`` for all.
        cause: Name of the cause.
    """
    figure = table.figure
    if figure is None:
        return None
    states = conditions.get(figure.condition, {})
    kind = _boxes if figure.kind == "robustness" else _log_rank
    rows = {}
    for label, state in states.items():
        if state.clean is None:
            continue
        code = state.clean.causes.index(cause) + 1
        marks = [mark.model_dump() | {"words": mark.words} for mark in figure.marks(label, column)]
        rows[label] = kind(table, figure, state, code) | {"published": marks}
    name = metric_name(table.keys[0])
    return {
        "kind": figure.kind,
        "condition": figure.condition,
        "metric": table.keys[0],
        "metric_label": name.label,
        "chance": name.chance if name.best == "highest" else None,
        "rows": rows,
    }


def _boxes(
    table: Reproduction, figure: PublishedFigure, state: ConditionState, cause: int
) -> dict[str, Any]:
    """Return at every share the values of the folds under every seed, and their quartiles."""
    boxes = []
    for share in figure.shares:
        found = [
            one
            for mixture in state.at(share)
            for one in TableStatistic(table=mixture, key=table.keys[0], cause=cause).by_fold()
        ]
        values = [one.value for one in found if isinstance(one, Estimate)]
        quartiles = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if values else None
        boxes.append(
            {
                "share": share,
                "values": values,
                "undefined": len(found) - len(values),
                "quartiles": quartiles,
            }
        )
    return {"boxes": boxes}


def _log_rank(
    table: Reproduction, figure: PublishedFigure, state: ConditionState, cause: int
) -> dict[str, Any]:
    """Return the log-rank test between the halves of predicted risk, clean and for every seed."""
    share = table.conditions[figure.condition].fraction
    clean = state.clean
    assert clean is not None  # rows without predictions are left out above
    seeds = [_test(mixture, cause) for mixture in state.at(share)]
    values = [each["p_value"] for each in seeds if "p_value" in each]
    whole = len(values) == len(seeds)  # a seed without a test makes the median undefined
    return {
        "share": share,
        "clean": _test(clean, cause),
        "seeds": seeds,
        "median_p": float(np.median(values)) if whole else None,
    }


def _test(table: Predictions, cause: int) -> dict[str, Any]:
    return log_rank_of_groups(first_repeat(table), cause=cause, groups=HALVES)
