"""The numbers of a table under one condition: value, loss, and tests between rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from survkit.comparison.table_statistic import TableStatistic
from survkit.evaluation.evaluation import FoldResult, MetricResult
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Estimate, Result, Undefined
from survkit.reproduction.compare_rows import compare_rows, difference_json, resamples
from survkit.reproduction.condition import Condition
from survkit.reproduction.published_table import Reproduction
from survkit.reproduction.row_condition import ConditionState, stack_seeds
from survkit.stress.measure import numbers_json
from survkit.stress.yardstick import yardstick


@dataclass(frozen=True, slots=True)
class _Stacked:
    """A row's predictions of all seeds, as repeats of one table."""

    clean: Predictions
    noisy: Predictions


def condition_json(
    table: Reproduction,
    name: str,
    states: Mapping[str, ConditionState],
    cause: str,
    *,
    replicates: int,
    permutations: int,
) -> dict[str, Any]:
    """Return what is said of a condition, with the numbers of every row by metric and label.

    Clean and corrupted predictions are scored on the same resamples, and rows are compared under
    the same seeds, which corrupt the same subjects.

    Args:
        table: What was published.
        name: Of the condition.
        states: By label; rows that were not run have none.
        cause: Name of the cause.
        replicates: Bootstrap resamples of intervals; 0 for none.
        permutations: Random swaps of the paired permutation test.
    """
    condition = table.conditions[name]
    stacked = {
        label: _Stacked(
            stack_seeds([state.clean] * condition.seeds), stack_seeds(state.at(condition.fraction))
        )
        for label, state in states.items()
        if state.clean is not None
    }
    noisy = {label: each.noisy for label, each in stacked.items()}
    compared, why_not = compare_rows(table, noisy, replicates=replicates, permutations=permutations)
    return {
        **condition.model_dump(),
        "no_comparison": why_not,
        "rows": {label: _state_json(state) for label, state in states.items()},
        "metrics": {
            key: {
                label: _numbers(each, key, cause, replicates, condition)
                | difference_json(compared, key, label)
                for label, each in stacked.items()
            }
            for key in table.keys
        },
    }


def _state_json(state: ConditionState) -> dict[str, Any]:
    return {
        "state": "finished" if state.clean is not None else "failed" if state.reason else "not run",
        "reason": state.reason,
        "reached": state.reached,
        "left_out": list(state.left_out),
    }


def _numbers(
    stacked: _Stacked, key: str, cause: str, replicates: int, condition: Condition
) -> dict[str, Any]:
    """Return a row's values in one metric, clean and corrupted."""
    gauge = yardstick(stacked.clean, key, cause, replicates=resamples(replicates), level=0.95)
    words = f"{gauge.metric.label}, {condition.fraction:.0%} corrupted, {condition.seeds} seeds"
    values = (gauge.values(stacked.clean), gauge.values(stacked.noisy))
    found = numbers_json(stacked.clean, values, gauge, words=words)
    statistic = TableStatistic(table=stacked.noisy, key=key, cause=gauge.cause)
    spread = MetricResult(
        pooled=statistic.estimate(),
        repeats=tuple(statistic.by_repeat()),
        folds=tuple(_folds(statistic, condition.seeds)),
        sites={},
    ).to_json()
    return {
        "clean": found["clean"],
        "pooled": found["noisy"],
        "lost": found["difference"],
        "degradation": found["degradation"],
        "across_folds": spread["across_folds"],
    }


def _folds(statistic: TableStatistic, seeds: int) -> Iterator[FoldResult]:
    """Yield the mean over seeds of each fold, so that the spread is that over folds alone; one
    undefined seed makes it undefined.
    """
    table, found = statistic.table, iter(statistic.by_fold())
    by_fold: dict[tuple[int, int], list[Result]] = {}
    for repeat in table.repeats:
        for fold in table.folds(repeat):
            by_fold.setdefault((repeat // seeds, fold), []).append(next(found))
    for (repeat, fold), results in by_fold.items():
        values = [one.value for one in results if isinstance(one, Estimate)]
        first = next((one for one in results if isinstance(one, Undefined)), results[0])
        mean = first if isinstance(first, Undefined) else replace(first, value=fmean(values))
        yield FoldResult(repeat, fold, mean)
