"""AUC and Brier score at times up to the horizon, and the smooth calibration curve at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from survkit.evaluation.answers import Answers
from survkit.evaluation.auc_statistics import auc_missing
from survkit.evaluation.brier_statistics import NO_WEIGHT
from survkit.evaluation.calibration_statistics import curve_rows
from survkit.evaluation.metric_names import BRIER, DYNAMIC_AUC
from survkit.evaluation.questions import Scope
from survkit.evaluation.shown_times import shown_columns
from survkit.metrics.estimate import Estimate, Result, Undefined

CURVE = "calibration_curve"


def question_name(key: str) -> str:
    """Return the name under which a metric is asked for over time."""
    return f"{key} over time"


def over_time(scope: Scope, answers: Answers) -> dict[str, list[dict[str, Any]]]:
    """Return time and result of the AUC and the Brier score; of every time, whether defined or
    not.
    """
    table = scope.parts[0].predictions
    columns = shown_columns(table).tolist()
    found: dict[str, list[dict[str, Any]]] = {}
    for key, reason in ((DYNAMIC_AUC, _no_auc), (BRIER, _no_brier)):
        results = answers.several(scope, question_name(key), reason(scope, columns))
        listed = [results] * len(columns) if isinstance(results, Undefined) else results
        found[key] = [
            _at(scope, float(table.time_grid[column]), result)
            for column, result in zip(columns, listed, strict=True)
        ]
    return found


def _at(scope: Scope, time: float, result: Result) -> dict[str, Any]:
    """Return the result with its time; its events are those by then."""
    part = scope.parts[0]
    table = part.predictions
    by_then = (table.event[part.rows] == part.cause) & (table.duration[part.rows] <= time)
    return {"time": time} | result.to_json() | {"events": int(by_then.sum())}


def calibration_curve(scope: Scope, answers: Answers) -> dict[str, Any]:
    """Return predicted and smoothed observed incidence at the horizon, of the first repeat.

    ``lower`` and ``upper`` are bounds of each point alone, null where there is none.
    """
    part = scope.parts[0]
    results = answers.several(scope, CURVE, lambda _: part.undefined("the curve has no value"))
    if isinstance(results, Undefined):
        return results.to_json()
    predicted = part.incidence_at(part.predictions.time_grid[-1:])
    assert predicted is not None, "a curve has predictions"
    points = [result for result in results if isinstance(result, Estimate)]
    return {
        "predicted": predicted[curve_rows(part), 0].tolist(),
        "observed": [point.value for point in points],
        "lower": [point.interval.lower if point.interval else None for point in points],
        "upper": [point.interval.upper if point.interval else None for point in points],
        "method": points[0].method,
        "n": points[0].n,
        "events": points[0].events,
    }


def _no_auc(scope: Scope, columns: list[int]) -> Callable[[int], Undefined]:
    return lambda point: auc_missing(scope.parts, columns[point])


def _no_brier(scope: Scope, columns: list[int]) -> Callable[[int], Undefined]:
    return lambda point: scope.parts[0].undefined(NO_WEIGHT)
