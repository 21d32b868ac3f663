"""Any table that passes its checks is evaluated: estimates or reasons, never an exception, a NaN,
or a 0 for want of knowledge.
"""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import METRICS
from survkit.evaluation.predictions import Predictions
from survkit.metrics import Estimate, Undefined

GRID = np.array([1.0, 2.5, 4.0])


@st.composite
def tables(draw: Any) -> Predictions:
    """Ties everywhere, all censored, one event, constant predictions, no curves, odd follow-up."""
    n = draw(st.integers(1, 14))
    causes = draw(st.integers(1, 2))

    def column(values: Any) -> np.ndarray:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)))

    event = column(st.integers(0, causes)).astype(np.int64)
    kind = draw(st.sampled_from(["any", "censored", "one event", "all events"]))
    if kind != "any":
        event[:] = int(kind == "all events")
        event[0] = int(kind != "censored")
    duration = column(st.sampled_from([0.5, 1.0, 2.0, 2.5, 3.0, 4.0, 7.0])).astype(np.float64)
    constant = draw(st.booleans())
    share = column(st.sampled_from([0.3] if constant else [0.0, 0.1, 0.3, 0.5, 1.0]))
    steps = np.array([0.25, 0.5, 1.0]) / causes
    curves = np.broadcast_to(share[:, None, None] * steps, (n, causes, 3)).astype(np.float64)
    score = column(st.sampled_from([0.0] if constant else [-1.0, 0.0, 0.5, 2.0]))
    return Predictions(
        subject=np.array([f"s{number}" for number in range(n)]),
        repeat=np.zeros(n, dtype=np.int64),
        fold=column(st.integers(0, draw(st.integers(0, 2)))).astype(np.int64),
        duration=duration,
        event=event,
        causes=("death", "relapse")[:causes],
        time_unit="days",
        horizon=4.0,
        time_grid=GRID,
        cumulative_incidence=None if draw(st.integers(0, 4)) == 0 else curves.copy(),
        risk_score=np.repeat(score[:, None], causes, axis=1).astype(np.float64),
        model="any",
        splits_hash="",
        seed=0,
        site=column(st.sampled_from(["a", "b"])).astype(np.str_),
        entry=duration / 2 if draw(st.integers(0, 4)) == 0 else None,
        weight=column(st.sampled_from([0.5, 1.0])) if draw(st.integers(0, 4)) == 0 else None,
    )


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(), interval=st.sampled_from(["bootstrap", "jackknife"]))
def test_any_table_has_an_evaluation(table: Predictions, interval: Any) -> None:
    """Every number is finite and in its range; without an event no concordance exists."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = evaluate(table, replicates=4, interval=interval)
    text = json.dumps(found.to_json(), allow_nan=False)

    assert json.loads(text)["format"] == 1
    for code, cause in enumerate(found.causes.values(), start=1):
        happened = ((table.event == code) & (table.duration <= 4)).any()
        for item in METRICS:
            metric = cause.metrics[item.key]
            results = [
                metric.pooled,
                *metric.repeats,
                *(one.result for one in metric.folds),
                *metric.sites.values(),
            ]
            for result in results:
                if isinstance(result, Undefined):
                    assert result.reason
                    continue
                assert isinstance(result, Estimate)
                assert np.isfinite(result.value)
                if item.group == "discrimination":
                    assert happened
                    assert 0 <= result.value <= 1
                if result.interval is not None:
                    assert result.interval.lower <= result.interval.upper
