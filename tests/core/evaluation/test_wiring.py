"""Every metric of an evaluation is the pure function of the same subjects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.evaluation import Evaluation
from survkit.evaluation.metric_names import GROUPS, METRICS
from survkit.evaluation.metric_statistics import MEASURES
from survkit.evaluation.predictions import Predictions, concatenate
from survkit.evaluation.risk_groups import risk_groups
from survkit.flow import SurvivalTarget
from survkit.metrics import (
    DCalibration,
    Estimate,
    Undefined,
    brier_score_incidence,
    calibration_index,
    d_calibration_from_prediction,
    dynamic_auc,
    mean_dynamic_auc,
    scaled_brier_score_incidence,
    smooth_calibration,
    uno_concordance,
)
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.censoring import censoring_survival
from survkit.nonparametric.log_rank import LogRank, log_rank
from survkit.prediction import GridPrediction

MakeTable = Callable[..., Predictions]


def value(evaluation: Evaluation, name: str) -> float:
    pooled = evaluation.metric(name).pooled
    assert isinstance(pooled, Estimate), pooled
    return pooled.value


def known(result: Any) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def held_out(make_table: MakeTable, causes: int) -> tuple[Predictions, SurvivalTarget]:
    """A test set and the subjects that trained its model."""
    return make_table(causes=causes, folds=1), make_table(150, causes=causes, seed=9).target()


def test_every_metric_has_a_statistic_and_a_group() -> None:
    """No name without a number, no number without a name."""
    assert list(MEASURES) == [item.key for item in METRICS]
    assert {item.group for item in METRICS} == set(GROUPS)


@pytest.mark.parametrize("causes", [1, 2])
def test_one_fold_gives_the_pure_functions(make_table: MakeTable, causes: int) -> None:
    """Concordance, AUC, Brier and calibration of a held-out set equal the functions of metrics."""
    table, training = held_out(make_table, causes)
    found = evaluate(table, replicates=0, training=training)
    target, grid = table.target(), table.time_grid.tolist()
    score = torch.from_numpy(table.risk_score[:, 0].copy())
    curves = torch.from_numpy(table.cumulative_incidence[:, 0].copy())  # type: ignore[index]
    at_end, last = curves[:, -1].clone(), grid[-1:]
    expected = {
        "uno_concordance_within_folds": uno_concordance(score, target, training, tau=600.0),
        "dynamic_auc": dynamic_auc(at_end, last, target, training)[0],
        "mean_dynamic_auc": mean_dynamic_auc(curves, grid, target, training),
        "brier_score": brier_score_incidence(at_end[:, None], last, target, training)[0],
        "scaled_brier_score": scaled_brier_score_incidence(at_end[:, None], last, target, training),
        "integrated_scaled_brier_score": scaled_brier_score_incidence(
            curves, grid, target, training
        ),
        "ici": calibration_index(600.0, at_end, target, index="ici"),
        "e50": calibration_index(600.0, at_end, target, index="e50"),
        "e90": calibration_index(600.0, at_end, target, index="e90"),
    }

    for name, result in expected.items():
        assert value(found, name) == pytest.approx(known(result), rel=1e-9), name


def test_metrics_over_time_are_the_pure_functions_at_those_times(make_table: MakeTable) -> None:
    """AUC and Brier score at every shown time, the last of which is the horizon."""
    table, training = held_out(make_table, 1)
    found = evaluate(table, replicates=0, training=training)
    target, grid = table.target(), table.time_grid.tolist()
    curves = torch.from_numpy(table.cumulative_incidence[:, 0].copy())  # type: ignore[index]
    shown = found.causes["death"].over_time
    auc = [known(one) for one in dynamic_auc(curves, grid, target, training)]
    brier = [known(one) for one in brier_score_incidence(curves, grid, target, training)]

    assert [one["time"] for one in shown["dynamic_auc"]] == grid
    assert [one["value"] for one in shown["dynamic_auc"]] == pytest.approx(auc, rel=1e-12)
    assert [one["value"] for one in shown["brier_score"]] == pytest.approx(brier, rel=1e-12)
    assert shown["brier_score"][-1]["value"] == pytest.approx(value(found, "brier_score"))


def test_a_long_grid_is_shown_at_twelve_times(make_table: MakeTable) -> None:
    """Evenly spaced, the horizon among them."""
    table = make_table()
    grid = np.linspace(12, 600, 50)
    long = replace(table, time_grid=grid, cumulative_incidence=table.incidence_at(grid))
    shown = evaluate(long, replicates=0).causes["death"].over_time["brier_score"]

    assert len(shown) == 12
    assert shown[-1]["time"] == 600.0
    assert set(np.diff([one["time"] for one in shown]).round()) == {48.0, 60.0}


@pytest.mark.parametrize("causes", [1, 2])
def test_uno_and_auc_within_folds_weigh_by_the_other_folds(
    make_table: MakeTable, causes: int
) -> None:
    """A loop over pairs of one fold, each event weighted by G of exactly the other folds."""
    table = make_table(60, causes=causes)
    sums = {"uno": [0.0, 0.0], "auc": [0.0, 0.0]}
    at_end = table.cumulative_incidence[:, 0, -1]  # type: ignore[index]
    for fold in table.folds(0):
        rows = np.flatnonzero(table.fold == fold)
        training = table.target(table.fold != fold)
        own = replace(training, event=(training.event == 1).long())  # other causes censor
        cause_specific, any_event = censoring_survival(own), censoring_survival(training)
        for i in rows[(table.event[rows] == 1) & (table.duration[rows] <= 600)]:
            at = table.duration[[i]].tolist()
            weight = float(cause_specific.before(at)[0]) ** -2
            for j in rows[table.duration[rows] > table.duration[i]]:
                difference = table.risk_score[i, 0] - table.risk_score[j, 0]
                sums["uno"][0] += weight * (np.sign(difference) + 1) / 2
                sums["uno"][1] += weight
            weight = 1 / float(any_event.before(at)[0])
            for j in rows[table.duration[rows] > 600]:
                sums["auc"][0] += weight * (np.sign(at_end[i] - at_end[j]) + 1) / 2
                sums["auc"][1] += weight
    found = evaluate(table, replicates=0)

    uno, auc = (won / total for won, total in sums.values())
    assert value(found, "uno_concordance_within_folds") == pytest.approx(uno, rel=1e-12)
    assert value(found, "dynamic_auc") == pytest.approx(auc, rel=1e-12)


def test_uno_knows_strata_and_without_censoring_is_harrell(make_table: MakeTable) -> None:
    """With everybody's event observed all weights are 1."""
    table = make_table(strata=np.arange(90) // 2 % 2)
    observed = replace(table, event=np.ones(90, dtype=np.int64))
    found = evaluate(observed, replicates=0)

    assert value(found, "uno_concordance_within_folds") == pytest.approx(
        value(found, "harrell_concordance_within_folds"), abs=1e-12
    )


def test_scaled_brier_divides_what_is_pooled_over_folds(make_table: MakeTable) -> None:
    """1 - mean Brier score over folds / mean Brier score of the folds' training curves."""
    table = make_table(causes=2)
    scores, of_curves, sizes = [], [], []
    for fold in table.folds(0):
        rows, training = table.fold == fold, table.target(table.fold != fold)
        curve = aalen_johansen(training.duration, training.event, 2).at([600.0])[0]
        target = table.target(rows)
        own = torch.from_numpy(table.cumulative_incidence[rows, 0, -1:])  # type: ignore[index]
        constant = curve.expand(len(own), 1)
        scores.append(known(brier_score_incidence(own, [600.0], target, training)[0]))
        of_curves.append(known(brier_score_incidence(constant, [600.0], target, training)[0]))
        sizes.append(len(own))
    expected = 1 - np.average(scores, weights=sizes) / np.average(of_curves, weights=sizes)

    assert value(evaluate(table, replicates=0), "scaled_brier_score") == pytest.approx(expected)


@pytest.mark.parametrize("causes", [1, 2])
def test_incidence_calibration_is_the_integral_of_the_squared_difference(
    make_table: MakeTable, causes: int
) -> None:
    """Equals a Riemann sum over a fine grid of mean predicted and Aalen–Johansen incidence."""
    table = make_table(causes=causes)
    target = table.target()
    times = (np.arange(200_000) + 0.5) * (600 / 200_000)
    observed = aalen_johansen(target.duration, target.event, causes).at(times)[0].numpy()
    knots = np.concatenate([[0.0], table.time_grid])
    mean = np.concatenate([[0.0], table.cumulative_incidence[:, 0].mean(axis=0)])  # type: ignore[index]
    expected = ((np.interp(times, knots, mean) - observed) ** 2).mean()

    found = value(evaluate(table, replicates=0), "incidence_calibration")
    assert found == pytest.approx(expected, rel=1e-3)


def test_incidence_calibration_of_the_observed_curve_is_zero_but_for_the_steps(
    make_table: MakeTable,
) -> None:
    """Predicting Kaplan–Meier for everybody leaves what lies between steps and straight lines."""
    table = make_table(400, folds=1)
    target = table.target()
    curve = aalen_johansen(target.duration, target.event, 1).at(table.time_grid)[0].numpy()
    flat = np.broadcast_to(curve, (400, 1, 10)).copy()
    found = evaluate(
        replace(table, cumulative_incidence=flat), replicates=0, training=table.target()
    )

    assert 0 < value(found, "incidence_calibration") < 1e-4
    assert value(found, "observed_expected_ratio") == pytest.approx(1, rel=1e-12)
    assert value(found, "scaled_brier_score") == pytest.approx(0, abs=1e-12)


def test_the_calibration_curve_is_the_smooth_one(make_table: MakeTable) -> None:
    """Each point is the smoothed observation at its prediction, increasing in the prediction."""
    table = make_table()
    at_end = torch.from_numpy(table.cumulative_incidence[:, 0, -1].copy())  # type: ignore[index]
    smooth = smooth_calibration(600.0, at_end, table.target())
    curve = evaluate(table, replicates=40).causes["death"].calibration_curve
    assert isinstance(smooth, torch.Tensor)
    by_prediction = dict(zip(at_end.tolist(), smooth.tolist(), strict=True))

    assert 40 <= len(curve["predicted"]) <= 50
    assert (np.diff(curve["predicted"]) > 0).all()
    for predicted, observed in zip(curve["predicted"], curve["observed"], strict=True):
        assert by_prediction[predicted] == pytest.approx(observed, rel=1e-9)
    assert all(low < high for low, high in zip(curve["lower"], curve["upper"], strict=True))


@pytest.mark.parametrize("causes", [1, 2])
def test_the_log_rank_test_is_that_of_the_risk_groups_until_the_horizon(
    make_table: MakeTable, causes: int
) -> None:
    """Who is followed beyond the horizon is censored at it; other causes leave."""
    table = make_table(causes=causes)
    late = table.duration > 600
    cut = SurvivalTarget(
        torch.from_numpy(np.minimum(table.duration, 600.0)),
        torch.from_numpy(np.where(late, 0, table.event)),
    )
    expected = log_rank(cut, torch.from_numpy(risk_groups(table, cause=1)[1]))
    found = evaluate(table, replicates=0).causes["death"].tests["log_rank"]

    assert isinstance(expected, LogRank)
    assert found["statistic"] == pytest.approx(expected.statistic)
    assert found["p_value"] == pytest.approx(expected.p_value)
    assert found["degrees_of_freedom"] == 2
    assert ("not Gray's test" in found["method"]) == (causes == 2)


@pytest.mark.parametrize("causes", [1, 2])
def test_d_calibration_is_that_of_the_curves(make_table: MakeTable, causes: int) -> None:
    """Equals the function of a typed prediction of the same curves."""
    table = make_table(causes=causes)
    curves = GridPrediction(
        torch.from_numpy(table.time_grid),
        torch.from_numpy(table.cumulative_incidence),  # type: ignore[arg-type]
        "linear",
    )
    expected = d_calibration_from_prediction(curves, table.target())
    found = evaluate(table, replicates=0).causes["death"].tests["d_calibration"]

    assert isinstance(expected, DCalibration)
    assert found["statistic"] == pytest.approx(expected.statistic, rel=1e-9)
    assert found["bins"] == pytest.approx(expected.share)
    assert found["events"] == expected.events


def test_tests_refuse_weights_and_late_entry_by_name(make_table: MakeTable) -> None:
    """The reason stands where the p-value would."""
    table = make_table()
    weighted = evaluate(replace(table, weight=np.full(90, 2.0)), replicates=0).causes["death"]
    late = evaluate(replace(table, entry=table.duration / 2), replicates=0).causes["death"]

    assert "weighted" in weighted.tests["log_rank"]["reason"]
    assert "unweighted" in weighted.tests["d_calibration"]["reason"]
    assert "p_value" in late.tests["log_rank"]
    assert "entered late" in late.tests["d_calibration"]["reason"]


def test_late_entry_is_honoured_or_refused_by_name_in_every_metric(make_table: MakeTable) -> None:
    """What weighs by censoring has a reason, the rest a number that differs from the naive one."""
    table = make_table()
    late = evaluate(replace(table, entry=table.duration / 2), replicates=0)
    naive = evaluate(table, replicates=0)
    refused = set()
    for item in METRICS:
        pooled = late.metric(item.key).pooled
        if isinstance(pooled, Undefined):
            assert "late" in pooled.reason or "delayed entry" in pooled.reason
            refused.add(item.key)
        else:
            assert pooled.value != value(naive, item.key)

    assert {item.key for item in METRICS} - refused == {
        "harrell_concordance_within_folds",
        "antolini_concordance_within_folds",
        "harrell_concordance_all_pairs",
        "antolini_concordance_all_pairs",
        "observed_expected_ratio",
        "incidence_calibration",
    }


def test_a_weight_of_two_is_a_subject_twice(make_table: MakeTable) -> None:
    """In every metric but the quantiles of distances, whose knots come from subjects."""
    table = make_table(60, causes=2)
    twice = np.arange(60) % 4 == 0
    weighted = evaluate(replace(table, weight=np.where(twice, 2.0, 1.0)), replicates=0)
    twins = table.select(twice)
    twins = replace(twins, subject=np.char.add(twins.subject, "-twin"))
    doubled = evaluate(concatenate([table, twins]), replicates=0)

    for item in METRICS:
        if item.key not in ("ici", "e50", "e90"):
            found, expected = (value(one, item.key) for one in (weighted, doubled))
            assert found == pytest.approx(expected, rel=1e-9), item.key


def test_training_subjects_may_differ_by_repeat(make_table: MakeTable) -> None:
    """Two hold-out splits: each weighs by its own training subjects, and the value is the mean."""
    parts = [make_table(folds=1, seed=seed) for seed in (0, 1)]
    training = {seed: make_table(150, seed=7 + seed).target() for seed in (0, 1)}
    second = replace(
        parts[1],
        repeat=np.ones(90, dtype=np.int64),
        subject=np.char.add(parts[1].subject, "-second"),
    )
    found = evaluate(concatenate([parts[0], second]), replicates=20, training=training)
    alone = [
        value(evaluate(part, replicates=0, training=training[seed]), "brier_score")
        for seed, part in enumerate(parts)
    ]

    assert value(found, "brier_score") == pytest.approx(np.mean(alone), rel=1e-12)
    assert found.metric("brier_score").pooled.n == 180
