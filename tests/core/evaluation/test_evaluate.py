"""Evaluation of tables whose answers are known: by hand, by other functions, by construction."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.core.evaluation.simulated import (
    HARRELL_ALL,
    INTEGRATED,
    simulated,
    value,
)

from survkit.errors import ConfigError, DataError
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import (
    ANTOLINI,
    ANTOLINI_ALL,
    BRIER,
    HARRELL,
    METRICS,
    OBSERVED_EXPECTED,
)
from survkit.evaluation.predictions import concatenate
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.harrell import harrell_concordance
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.censoring import censoring_survival


@pytest.mark.parametrize("causes", [1, 2])
def test_concordance_within_folds_counts_pairs_of_folds_only(causes: int) -> None:
    """Moving a whole fold's scores changes nothing within folds, and all pairs a lot."""
    table = simulated(causes=causes)
    moved = replace(table, risk_score=table.risk_score + 100.0 * table.fold[:, None])
    before, after = evaluate(table, replicates=0), evaluate(moved, replicates=0)

    assert value(after, HARRELL) == value(before, HARRELL)
    assert abs(value(after, HARRELL_ALL) - value(before, HARRELL_ALL)) > 0.05


@pytest.mark.parametrize("causes", [1, 2])
def test_harrell_equals_the_metric_on_all_pairs_and_on_strata(causes: int) -> None:
    """All pairs is the plain metric until the horizon; within folds is it with folds as strata."""
    table = simulated(causes=causes)
    found = evaluate(table, replicates=0)
    score = torch.from_numpy(table.risk_score[:, 0])
    plain = harrell_concordance(score, table.target(), tau=600.0)
    by_fold = replace(table.target(), strata=torch.from_numpy(table.fold))
    stratified = harrell_concordance(score, by_fold, tau=600.0)

    assert isinstance(plain, Estimate)
    assert isinstance(stratified, Estimate)
    assert value(found, HARRELL_ALL) == pytest.approx(plain.value, abs=1e-14)
    assert value(found, HARRELL) == pytest.approx(stratified.value, abs=1e-14)


def test_antolini_of_proportional_curves_is_harrell() -> None:
    """Curves that never cross order subjects at every time as one score does."""
    table = simulated()
    found = evaluate(table, replicates=0)

    assert value(found, ANTOLINI_ALL) == pytest.approx(value(found, HARRELL_ALL), abs=1e-14)
    assert value(found, ANTOLINI) == pytest.approx(value(found, HARRELL), abs=1e-14)


@pytest.mark.parametrize("causes", [1, 2])
def test_brier_weighs_each_fold_by_the_censoring_of_the_other_folds(causes: int) -> None:
    """Equals a plain loop over subjects with G estimated on exactly the other folds."""
    table = simulated(causes=causes)
    squares = np.zeros(len(table))
    for fold in table.folds(0):
        curve = censoring_survival(table.target(table.fold != fold))
        for row in np.flatnonzero(table.fold == fold):
            predicted = table.cumulative_incidence[row, 0, -1]
            if table.duration[row] > 600:
                squares[row] = predicted**2 / float(curve.at(torch.tensor([600.0]))[0])
            elif table.event[row] > 0:
                at = torch.tensor([table.duration[row]])
                happened = float(table.event[row] == 1)
                squares[row] = (happened - predicted) ** 2 / float(curve.before(at)[0])

    assert value(evaluate(table, replicates=0), BRIER) == pytest.approx(squares.mean(), abs=1e-14)


def test_censoring_of_a_folds_own_subjects_never_weighs_them() -> None:
    """A fold's Brier score ignores how its own other subjects are censored."""
    table = simulated(n=90)
    rows = (table.fold == 0) & (table.event == 0) & (table.duration < 600)
    later = replace(table, duration=np.where(rows, table.duration * 0.5, table.duration))
    both = [evaluate(item, replicates=0).metric(BRIER).folds[0].result for item in (table, later)]

    assert isinstance(both[0], Estimate)
    assert isinstance(both[1], Estimate)
    assert both[0].value == both[1].value


@pytest.mark.parametrize("causes", [1, 2])
def test_observed_over_expected_is_aalen_johansen_over_the_mean(causes: int) -> None:
    """The vectorised estimate equals the one of one sample."""
    table = simulated(causes=causes)
    seen = table.target()
    curve = aalen_johansen(seen.duration, seen.event, causes)
    observed = float(curve.at([600.0])[0, 0])
    expected = table.cumulative_incidence[:, 0, -1].mean()

    found = value(evaluate(table, replicates=0), OBSERVED_EXPECTED)
    assert found == pytest.approx(observed / expected, rel=1e-12)


def test_every_replicate_is_the_metric_of_the_resampled_table() -> None:
    """Case weights of 1 and 2 are a resample: the statistic equals that of repeated subjects."""
    table = simulated(n=60, causes=2)
    twice = np.arange(60) % 4 == 0
    weighted = replace(table, weight=np.where(twice, 2.0, 1.0))
    twins = table.select(twice)
    twins = replace(twins, subject=np.char.add(twins.subject, "-twin"))
    doubled = concatenate([table, twins])

    for name in (BRIER, INTEGRATED, OBSERVED_EXPECTED):
        left = value(evaluate(weighted, replicates=0), name)
        assert left == pytest.approx(value(evaluate(doubled, replicates=0), name), abs=1e-12)


def test_intervals_hold_the_value_and_shrink_with_more_subjects() -> None:
    """Four times the subjects, about half the width."""
    widths = []
    for n in (100, 400):
        found = evaluate(simulated(n=n), replicates=300)
        for name in (HARRELL, ANTOLINI_ALL, BRIER, INTEGRATED, OBSERVED_EXPECTED):
            pooled = found.metric(name).pooled
            assert isinstance(pooled, Estimate)
            assert pooled.interval is not None
            assert pooled.interval.lower < pooled.value < pooled.interval.upper
        widths.append(pooled.interval.upper - pooled.interval.lower)

    assert 0.35 < widths[1] / widths[0] < 0.7


def test_fold_spread_is_kept_apart_from_the_interval() -> None:
    """Mean and standard deviation over folds are those of the fold values."""
    metric = evaluate(simulated(), replicates=50).metric(HARRELL)
    stored = metric.to_json()["across_folds"]

    assert len(metric.fold_values) == 3
    assert stored["mean"] == pytest.approx(np.mean(metric.fold_values))
    assert stored["sd"] == pytest.approx(np.std(metric.fold_values, ddof=1))
    assert stored["defined"] == stored["of"] == 3


def test_repeats_are_averaged_and_their_spread_given() -> None:
    """Two repeats with other folds: the pooled value is the mean, and subjects count once."""
    first = simulated()
    second = replace(first, repeat=first.repeat + 1, fold=(np.arange(120) // 7) % 3)
    metric = evaluate(concatenate([first, second]), replicates=20).metric(HARRELL)
    values = [item.value for item in metric.repeats if isinstance(item, Estimate)]

    assert isinstance(metric.pooled, Estimate)
    assert metric.pooled.value == pytest.approx(np.mean(values))
    assert metric.pooled.n == 120
    assert metric.to_json()["across_repeats"]["sd"] == pytest.approx(np.std(values, ddof=1))


def test_an_undefined_fold_says_why_and_spoils_nothing() -> None:
    """A fold without events has a reason, the others and the pool have values."""
    table = simulated()
    quiet = replace(table, event=np.where(table.fold == 1, 0, table.event))
    metric = evaluate(quiet, replicates=20).metric(HARRELL)
    undefined = metric.folds[1].result

    assert isinstance(undefined, Undefined)
    assert "nobody has the event" in undefined.reason
    assert isinstance(metric.pooled, Estimate)
    assert metric.to_json()["across_folds"]["defined"] == 2


def test_one_fold_needs_training_subjects_for_weights() -> None:
    """A held-out table has no training subjects: Brier says so, or takes them as an argument."""
    table = simulated(folds=1)
    alone = evaluate(table, replicates=10).metric(BRIER).pooled
    training = simulated(n=200, seed=9).target()
    given = evaluate(table, replicates=10, training=training).metric(BRIER).pooled

    assert isinstance(alone, Undefined)
    assert "training=" in alone.reason
    assert isinstance(given, Estimate)
    assert given.interval is not None


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_tiny_tables_never_raise(n: int) -> None:
    """Every metric of one, two or three subjects is an Estimate or Undefined, and is written."""
    for causes in (1, 2):
        found = evaluate(simulated(n=n, causes=causes, folds=min(n, 2)), replicates=20)
        json.dumps(found.to_json(), allow_nan=False)
        for result in found.causes.values():
            assert list(result.metrics) == [item.key for item in METRICS]


def test_all_censored_is_undefined_everywhere_it_must_be() -> None:
    """Without an event there is no concordance, and no zero pretends there is."""
    table = simulated(n=40)
    quiet = replace(table, event=np.zeros(40, dtype=np.int64))
    found = evaluate(quiet, replicates=5)

    assert isinstance(found.metric(HARRELL).pooled, Undefined)
    assert isinstance(found.metric(ANTOLINI_ALL).pooled, Undefined)


def test_constant_predictions_are_chance() -> None:
    """Equal scores count one half."""
    table = simulated()
    flat = replace(
        table,
        risk_score=np.zeros_like(table.risk_score),
        cumulative_incidence=np.full_like(table.cumulative_incidence, 0.3),
    )

    assert value(evaluate(flat, replicates=0), HARRELL) == 0.5


def test_the_file_is_stable_and_the_same_seed_gives_the_same_file(tmp_path: Path) -> None:
    """metrics.json has its version, holds no NaN, and is deterministic."""
    table = simulated(causes=2)
    paths = [evaluate(table, replicates=30).write(tmp_path / f"{number}.json") for number in (1, 2)]
    read: dict[str, Any] = json.loads(paths[0].read_text())

    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert read["format"] == 1
    assert list(read["causes"]) == ["death", "relapse"]
    assert read["causes"]["death"]["metrics"][HARRELL]["pooled"]["interval"]["level"] == 0.95
    assert set(read["causes"]["death"]["metrics"][HARRELL]["sites"]) == {"north", "south"}
    assert read["subjects"] == 120
    assert len(read["predictions"]) == 64


def test_a_run_folder_is_read(tmp_path: Path) -> None:
    """The folder and its file are the same table; an unfinished folder is one sentence."""
    with pytest.raises(DataError, match=r"has no predictions\.parquet; give a run folder"):
        evaluate(tmp_path)
    table = simulated()
    table.write(tmp_path / "predictions.parquet")

    assert evaluate(tmp_path, replicates=5).to_json() == evaluate(table, replicates=5).to_json()


def test_settings_out_of_range_are_refused() -> None:
    """One line each."""
    with pytest.raises(ConfigError, match="replicates must be >= 0"):
        evaluate(simulated(), replicates=-1)
    with pytest.raises(ConfigError, match="level between 0 and 1"):
        evaluate(simulated(), level=95)


def test_unknown_names_are_refused() -> None:
    """A misspelt cause or metric names those there are."""
    found = evaluate(simulated(), replicates=0)
    with pytest.raises(DataError, match="no cause is named 'deth'; there are death"):
        found.metric(HARRELL, "deth")
    with pytest.raises(DataError, match="no metric is named 'cindex'"):
        found.metric("cindex")
