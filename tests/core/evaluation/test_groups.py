"""Intervals of images count patients: copies of a patient add nothing to what is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.comparison import compare
from survkit.errors import DataError
from survkit.evaluation import Predictions, evaluate
from survkit.evaluation.metric_names import BRIER, HARRELL
from survkit.importance.mean_drop import mean_concordance
from survkit.metrics import Estimate
from survkit.metrics.estimate import Undefined
from survkit.stress.yardstick import yardstick

MakeTable = Callable[..., Predictions]
COLUMNS = ("repeat", "fold", "duration", "event", "risk_score", "cumulative_incidence", "site")


def copied(table: Predictions, copies: int) -> Predictions:
    """Return a table in which every subject has so many equal images; the group is the subject."""
    rows = np.repeat(np.arange(len(table)), copies)
    names = [f"{name}-{k % copies}" for k, name in enumerate(table.subject[rows])]
    columns = {name: getattr(table, name)[rows] for name in COLUMNS}
    return replace(table, subject=np.array(names), group=table.subject[rows], **columns)


def intervals(table: Predictions, **settings: Any) -> np.ndarray[Any, Any]:
    """Return the ends of the pooled intervals of two metrics; (metric, end)."""
    evaluation = evaluate(table, replicates=30, **settings)
    ends = []
    for metric in (HARRELL, BRIER):
        found = evaluation.metric(metric).pooled
        assert isinstance(found, Estimate)
        assert found.interval is not None
        ends.append((found.interval.lower, found.interval.upper))
    return np.array(ends)


@pytest.mark.parametrize("kind", ["bootstrap", "jackknife"])
def test_equal_images_of_a_patient_change_no_interval(make_table: MakeTable, kind: str) -> None:
    """Three copies of each: by group the interval of single images, by subject a false one."""
    table = make_table(40)
    expected = intervals(replace(table, group=table.subject), cluster="group", interval=kind)
    threefold = copied(table, 3)

    by_group = intervals(threefold, cluster="group", interval=kind)
    by_subject = intervals(threefold, cluster="subject", interval=kind)
    np.testing.assert_allclose(by_group, expected, rtol=1e-9)
    assert (np.diff(by_subject) < 0.75 * np.diff(expected)).all()


@pytest.mark.parametrize("kind", ["bootstrap", "jackknife"])
def test_groups_named_as_sites_are_drawn_as_sites(make_table: MakeTable, kind: str) -> None:
    """The one code serves both, bit for bit."""
    table = make_table(40)
    both = replace(table, group=table.site)

    by_group, by_site = (intervals(both, interval=kind, cluster=c) for c in ("group", "site"))
    np.testing.assert_array_equal(by_group, by_site)


def test_groups_are_drawn_where_they_are_known(make_table: MakeTable) -> None:
    """Without being asked; the settings say what was done, and the facts how many there are."""
    table = make_table(30)
    assert evaluate(table, replicates=20).settings["cluster"] == "subject"
    found = evaluate(copied(table, 2), replicates=20)

    assert found.settings["cluster"] == "group"
    assert (found.facts["subjects"], found.facts["groups"]) == (60, 30)


def test_groups_are_refused_where_there_are_none(make_table: MakeTable) -> None:
    """One line that says what is needed."""
    with pytest.raises(DataError, match="need a column group with two groups at least, not 0"):
        evaluate(make_table(), cluster="group")


def test_a_table_keeps_its_groups(make_table: MakeTable, tmp_path: Path) -> None:
    """Written and read; and a table without them has the hash that it had before there were any."""
    table = copied(make_table(30), 2)
    read = Predictions.read(table.write(tmp_path / "p.parquet"))

    assert read.fingerprint() == table.fingerprint()
    assert read.group is not None
    assert read.groups == 30
    assert replace(table, group=None).fingerprint() != table.fingerprint()


def test_a_subject_has_one_group(make_table: MakeTable) -> None:
    """In every repeat the same."""
    table = make_table(30)
    rows = np.tile(np.arange(30), 2)
    twice = {name: getattr(table, name)[rows] for name in COLUMNS}
    twice["repeat"] = np.repeat([0, 1], 30)
    group = np.array([f"p{k % 7}" for k in range(60)])

    with pytest.raises(DataError, match="group of a subject must be the same in every repeat"):
        replace(table, subject=table.subject[rows], group=group, **twice)


def test_models_are_compared_by_patient(make_table: MakeTable) -> None:
    """Copies of patients make no difference significant: the test is that of single images."""
    tables = [make_table(50, seed=0), make_table(50, seed=0)]
    noise = np.random.default_rng(1).normal(0, 0.5, tables[1].risk_score.shape)
    tables[1] = replace(tables[1], risk_score=tables[1].risk_score + noise)
    p_values = {}
    for unit in ("group", "subject"):
        for name, copies in (("once", 1), ("threefold", 3)):
            pair = {str(k): copied(table, copies) for k, table in enumerate(tables)}
            found = compare(
                pair, metric="harrell", unit=unit, permutations=400, replicates=0,
                exchange="values",
            )  # fmt: skip
            result = next(iter(found.metrics.values())).pairs[0].permutation
            p_values[unit, name] = result.p_value  # type: ignore[union-attr]

    assert p_values["group", "threefold"] == pytest.approx(p_values["group", "once"], abs=0.03)
    assert p_values["subject", "threefold"] < p_values["group", "threefold"]


def test_what_predicts_a_run_again_draws_groups_too(make_table: MakeTable) -> None:
    """Stress, importance and pruning measure by one yardstick: its resamples are the evaluation's,
    so copies of a patient change no interval, and the method says what was drawn.
    """
    single = make_table(40)
    threefold = copied(single, 3)
    expected = evaluate(threefold, replicates=30).metric(HARRELL).pooled
    gauge, alone = (
        yardstick(table, "harrell", None, replicates=30, level=0.95)
        for table in (threefold, replace(single, group=single.subject))
    )

    values = gauge.values(threefold)
    found = gauge.result(values, threefold, method=gauge.metric.label)
    assert isinstance(values, torch.Tensor)
    torch.testing.assert_close(values, alone.values(single), rtol=1e-9, atol=0)
    assert found == expected
    assert isinstance(found, Estimate)
    assert "percentile bootstrap over 40 groups, 30 resamples" in found.method
    mean = mean_concordance(gauge, [threefold])
    assert not isinstance(mean, Undefined)
    torch.testing.assert_close(mean.replicates, values[1:], rtol=1e-9, atol=0)
