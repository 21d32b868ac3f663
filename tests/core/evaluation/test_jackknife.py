"""The infinitesimal jackknife: closed forms, finite differences, and the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
import torch

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.jackknife import deviations, influences, normal_interval
from survkit.evaluation.metric_names import (
    BRIER,
    E50,
    E90,
    HARRELL,
    ICI,
    INCIDENCE_CALIBRATION,
    INTEGRATED_BRIER,
    METRICS,
    OBSERVED_EXPECTED,
    SCALED_BRIER,
    UNO,
)
from survkit.evaluation.metric_statistics import MEASURES, OVER_TIME
from survkit.evaluation.observed_incidence import incidence_at
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Predictions, concatenate
from survkit.evaluation.resampling import units_of
from survkit.evaluation.summarise import mean_of_parts
from survkit.metrics import Estimate, Interval
from survkit.nonparametric.kaplan_meier import kaplan_meier

MakeTable = Callable[..., Predictions]
SMOOTH = [key for key, one in MEASURES.items() if one.scale is not None]
DISTANCES = {ICI, E50, E90, INCIDENCE_CALIBRATION}


def parts(table: Predictions, counts: torch.Tensor, training: object = None) -> list[Part]:
    return [
        Part(
            predictions=table,
            rows=np.flatnonzero(table.repeat == repeat),
            counts=counts,
            cause=1,
            training=training,  # type: ignore[arg-type]
        )
        for repeat in table.repeats
    ]


def repeated(table: Predictions) -> Predictions:
    """Two repeats of other folds and other predictions."""
    again = replace(
        table,
        repeat=table.repeat + 1,
        fold=(np.arange(len(table)) // 5) % 3,
        risk_score=table.risk_score[:, ::-1] * 0.5 + table.risk_score * 0.5,
    )
    return concatenate([table, again])


def test_greenwood(make_table: MakeTable) -> None:
    """The standard error of Kaplan–Meier is Greenwood's, with ties and until the last event."""
    table = make_table(folds=1, site=None)
    table = replace(table, duration=np.ceil(table.duration / 40) * 40)
    target = table.target()
    curve = kaplan_meier(target.duration, target.event > 0)
    times = curve.times[(curve.survival > 0) & (curve.times <= 600)]
    greenwood = curve.at(times) * curve.variance[: len(times)].sqrt()
    influence = influences(
        lambda counts: incidence_at(parts(table, counts)[0], times)[0], units_of(table, "subject")
    )

    torch.testing.assert_close(deviations(influence), greenwood, rtol=1e-10, atol=1e-14)


def test_a_mean_has_the_standard_error_of_a_mean(make_table: MakeTable) -> None:
    """Without censoring the Brier score is a mean of squares."""
    table = make_table(folds=1)
    table = replace(table, event=np.ones(90, dtype=np.int64))
    happened = (table.duration <= 600).astype(float)
    squares = (happened - table.cumulative_incidence[:, 0, -1]) ** 2  # type: ignore[index]
    pooled = (
        evaluate(table, interval="jackknife", replicates=0, training=table.target())
        .metric(BRIER)
        .pooled
    )
    assert isinstance(pooled, Estimate)
    assert pooled.interval is not None
    value, deviation = squares.mean(), squares.std() / np.sqrt(90)
    half = NormalDist().inv_cdf(0.975) * deviation / (value * (1 - value))
    bounds = 1 / (1 + np.exp(-(np.log(value / (1 - value)) + half * np.array([-1, 1]))))

    assert pooled.value == pytest.approx(value)
    assert [pooled.interval.lower, pooled.interval.upper] == pytest.approx(bounds, rel=1e-9)


@pytest.mark.parametrize("kind", ["folds", "competing", "weights", "repeats", "training", "ties"])
def test_every_derivative_is_the_limit_of_differences(make_table: MakeTable, kind: str) -> None:
    """Central differences of the very statistic, subject by subject, censoring model included."""
    causes = 2 if kind == "competing" else 1
    table = make_table(36, causes=causes, folds=1 if kind == "training" else 2)
    training = make_table(80, seed=5).target() if kind == "training" else None
    if kind == "weights":
        table = replace(table, weight=np.random.default_rng(1).uniform(0.5, 2, 36))
    if kind == "repeats":
        table = repeated(table)
    if kind == "ties":
        table = replace(table, duration=np.ceil(table.duration / 60) * 60)
    units = units_of(table, "subject")
    step = 1e-5
    moved = torch.ones(2 * units.size, units.size, dtype=torch.float64)
    moved[: units.size] += step * torch.eye(units.size, dtype=torch.float64)
    moved[units.size :] -= step * torch.eye(units.size, dtype=torch.float64)
    moved = torch.cat([torch.ones(1, units.size, dtype=torch.float64), moved])
    counts = moved[:, torch.from_numpy(units.position)]
    # Replicates of concordances count in float32 unless they are asked to be weighted.
    exact = table if table.weight is not None else replace(table, weight=np.ones(len(table)))
    checked = 0
    for key in [*SMOOTH, INCIDENCE_CALIBRATION]:
        statistic = MEASURES[key].statistic
        values = mean_of_parts(statistic, parts(exact, counts, training))
        if not isinstance(values, torch.Tensor):
            continue
        limit = (values[1 : 1 + units.size] - values[1 + units.size :]) / (2 * step)

        def once(rows: torch.Tensor, statistic: object = statistic) -> torch.Tensor:
            found = mean_of_parts(statistic, parts(table, rows, training))  # type: ignore[arg-type]
            assert isinstance(found, torch.Tensor)
            return found

        influence = influences(once, units)[0]
        torch.testing.assert_close(influence, limit, rtol=1e-4, atol=1e-7, msg=key)
        checked += 1

    assert checked == len(SMOOTH) + 1


def test_influences_sum_to_zero(make_table: MakeTable) -> None:
    """Counting everybody twice changes no metric."""
    table = make_table(60, causes=2)
    for key in SMOOTH:
        statistic = MEASURES[key].statistic

        def once(rows: torch.Tensor, statistic: object = statistic) -> torch.Tensor:
            found = mean_of_parts(statistic, parts(table, rows))  # type: ignore[arg-type]
            assert isinstance(found, torch.Tensor)
            return found

        assert float(influences(once, units_of(table, "subject")).sum()) == pytest.approx(
            0, abs=1e-10
        )


def test_standard_errors_are_those_of_the_bootstrap(make_table: MakeTable) -> None:
    """Within the noise of 600 resamples and the order 1/n by which the two differ."""
    table = make_table(300, causes=2, folds=2, site=None)
    jack = evaluate(table, interval="jackknife", replicates=0)
    boot = evaluate(table, interval="bootstrap", replicates=600)
    ratios = {}
    for key in SMOOTH:
        widths = []
        for found in (jack, boot):
            pooled = found.metric(key).pooled
            assert isinstance(pooled, Estimate)
            assert pooled.interval is not None
            widths.append(pooled.interval.upper - pooled.interval.lower)
        ratios[key] = widths[0] / widths[1]

    assert all(0.87 < ratio < 1.13 for ratio in ratios.values()), ratios


def test_sites_add_the_influences_of_their_subjects(make_table: MakeTable) -> None:
    """The variance is that of the sums, with the factor and the quantile of few clusters."""
    table = make_table(120)
    by_subject = influences(
        lambda counts: mean_of_parts(MEASURES[UNO].statistic, parts(table, counts)),  # type: ignore[arg-type, return-value]
        units_of(table, "subject"),
    )[0]
    assert table.site is not None
    sums = np.array([by_subject.numpy()[table.site == name].sum() for name in table.sites])
    deviation = float(np.sqrt((sums**2).sum() * 4 / 3))
    pooled = evaluate(table, interval="jackknife", cluster="site", replicates=0).metric(UNO).pooled
    assert isinstance(pooled, Estimate)
    assert pooled.interval is not None
    value = pooled.value
    half = 3.182446305284263 * deviation / (value * (1 - value))  # t, 3 degrees of freedom
    logit = np.log(value / (1 - value))

    assert pooled.interval.lower == pytest.approx(1 / (1 + np.exp(-(logit - half))), rel=1e-9)
    assert "infinitesimal jackknife over 4 sites (fewer than 10" in pooled.method


def test_distances_are_resampled_and_say_so(make_table: MakeTable) -> None:
    """Distances of predicted from observed have bootstrap intervals, or none."""
    with_resamples = evaluate(make_table(), interval="jackknife", replicates=30)
    without = evaluate(make_table(), interval="jackknife", replicates=0)
    for key in DISTANCES:
        resampled, alone = (one.metric(key).pooled for one in (with_resamples, without))
        assert isinstance(resampled, Estimate)
        assert isinstance(alone, Estimate)
        assert resampled.interval is not None
        assert "resamples, as distances have no jackknife interval" in resampled.method
        assert alone.interval is None
        assert "no interval: distances have no jackknife interval" in alone.method
    assert {key for key, one in MEASURES.items() if one.scale is None} == DISTANCES


def test_scales(make_table: MakeTable) -> None:
    """Shares stay between 0 and 1, ratios above 0, anything else is symmetric."""
    found = evaluate(make_table(30), interval="jackknife", replicates=0)
    for item in METRICS:
        pooled = found.metric(item.key).pooled
        if not isinstance(pooled, Estimate) or pooled.interval is None:
            continue
        low, high = pooled.interval.lower, pooled.interval.upper
        if item.key.endswith("scaled_brier_score"):
            assert (low + high) / 2 == pytest.approx(pooled.value)
        elif item.key == OBSERVED_EXPECTED:
            assert low * high == pytest.approx(pooled.value**2)
        else:
            assert 0 < low < pooled.value < high < 1
    scaled = found.metric(SCALED_BRIER).pooled
    assert isinstance(scaled, Estimate)
    assert scaled.method.endswith("infinitesimal jackknife over subjects, identity scale")


def test_edges_have_no_interval() -> None:
    """A perfect concordance, a constant, a missing derivative: each with its reason."""
    assert normal_interval(1.0, 0.1, scale="logit", level=0.95) == (
        None,
        "; no interval: 1 lies at the edge of its logit scale",
    )
    assert normal_interval(0.5, 0.0, scale="logit", level=0.95)[0] is None
    assert normal_interval(0.5, float("nan"), scale="logit", level=0.95)[0] is None
    assert normal_interval(2.0, 0.1, scale="identity", level=0.9)[0] == Interval(
        pytest.approx(2 - 0.1644853627), pytest.approx(2 + 0.1644853627), 0.9
    )


def test_curves_over_time_have_intervals_too(make_table: MakeTable) -> None:
    """The point at the horizon is the metric at the horizon, interval included."""
    found = evaluate(make_table(), interval="jackknife", replicates=0)
    for key in OVER_TIME:
        last = found.causes["death"].over_time[key][-1]
        pooled = found.metric(key).pooled
        assert isinstance(pooled, Estimate)
        assert pooled.interval is not None
        assert last["interval"]["lower"] == pytest.approx(pooled.interval.lower)


def test_spread_over_folds_stays_apart(make_table: MakeTable) -> None:
    """Sampling error by another method, the same mean and standard deviation over folds."""
    ways = [
        evaluate(make_table(), interval=interval, replicates=20).metric(INTEGRATED_BRIER).to_json()  # type: ignore[arg-type]
        for interval in ("bootstrap", "jackknife")
    ]

    assert ways[0]["across_folds"] == ways[1]["across_folds"]
    assert ways[0]["pooled"]["value"] == pytest.approx(ways[1]["pooled"]["value"])
    assert ways[0]["pooled"]["interval"] != ways[1]["pooled"]["interval"]


def test_settings_are_told(make_table: MakeTable) -> None:
    """What made the intervals stands in the file."""
    found = evaluate(make_table(30), interval="jackknife", cluster="site", replicates=0)

    assert found.to_json()["settings"] == {
        "replicates": 0,
        "level": 0.95,
        "seed": 0,
        "interval": "jackknife",
        "cluster": "site",
    }
    assert isinstance(found.metric(HARRELL).pooled, Estimate)
