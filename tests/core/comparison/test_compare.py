"""Comparison of whole tables: values of the evaluation, shares that sum up, refusals by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.core.comparison.conftest import FAST, cohort, estimate

from survkit.comparison.compare import compare
from survkit.comparison.corrected_resampled import CorrectedTest, corrected_resampled_t
from survkit.comparison.non_inferiority import NonInferiority
from survkit.comparison.permutation import PermutationTest
from survkit.comparison.table_statistic import TableStatistic
from survkit.comparison.wilcoxon import WilcoxonTest
from survkit.errors import DataError
from survkit.evaluation.evaluate import evaluate
from survkit.evaluation.metric_names import ANTOLINI, BRIER, HARRELL, INTEGRATED_BRIER
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Undefined


@pytest.mark.parametrize("cause", ["death", "relapse"])
def test_values_are_those_of_the_evaluation(models: dict[str, Predictions], cause: str) -> None:
    """One number has one value, wherever it is asked."""
    keys = (HARRELL, ANTOLINI, BRIER, INTEGRATED_BRIER)
    keys += ("harrell_concordance_all_pairs", "antolini_concordance_all_pairs")
    found = compare(models, metric=keys, cause=cause, **FAST)

    for name, table in models.items():
        evaluation = evaluate(table, replicates=0)
        for key in keys:
            expected = estimate(evaluation.metric(key, cause).pooled)
            value = estimate(found.metrics[key].values[name])
            assert value.value == pytest.approx(expected.value, abs=1e-14)


@pytest.mark.parametrize("exchange", ["ranks", "values"])
def test_shares_of_every_metric_sum_to_the_difference(
    models: dict[str, Predictions], exchange: str
) -> None:
    """Whatever is exchanged, and over two repeats with different folds."""
    keys = (
        *(HARRELL, ANTOLINI, BRIER, INTEGRATED_BRIER),
        *("harrell_concordance_all_pairs", "antolini_concordance_all_pairs"),
    )
    found = compare(models, metric=keys, exchange=exchange, **FAST)  # type: ignore[arg-type]

    for metric in found.metrics.values():
        for pair in metric.pairs:
            assert pair.shares.sum() == pytest.approx(estimate(pair.difference).value, abs=1e-12)
            assert len(pair.shares) == 90


@pytest.mark.parametrize(
    "key", [HARRELL, ANTOLINI, "antolini_concordance_all_pairs", INTEGRATED_BRIER]
)
def test_exchanged_values_are_the_plain_swap_of_tables(
    models: dict[str, Predictions], key: str
) -> None:
    """The linear form equals swapping subjects between the tables and scoring them anew."""
    first, second = models["good"], models["poor"]
    found = compare({"a": first, "b": second}, metric=key, exchange="values", **FAST)
    shares = found.metrics[key].pairs[0].shares
    random = np.random.default_rng(0)
    for _ in range(5):
        swapped = random.random(90) < 0.5
        rows = np.tile(swapped, 2)
        mixed = [_mixed(first, second, rows), _mixed(second, first, rows)]
        values = [
            estimate(TableStatistic(table=table, key=key, cause=1).estimate()).value
            for table in mixed
        ]
        assert shares @ (1.0 - 2.0 * swapped) == pytest.approx(values[0] - values[1], abs=1e-12)


def _mixed(own: Predictions, other: Predictions, swapped: np.ndarray) -> Predictions:
    incidence = np.where(
        swapped[:, None, None], other.cumulative_incidence, own.cumulative_incidence
    )
    score = np.where(swapped[:, None], other.risk_score, own.risk_score)
    return replace(own, cumulative_incidence=incidence, risk_score=score)


def test_scales_do_not_matter_where_ranks_are_exchanged(models: dict[str, Predictions]) -> None:
    """A model's risk scores in another unit change no number of the concordance's tests."""
    tables = {name: models[name] for name in ("good", "poor")}
    scaled = tables | {"poor": replace(tables["poor"], risk_score=7 * tables["poor"].risk_score)}
    before, after = (compare(each, metric="harrell", **FAST).to_json() for each in (tables, scaled))

    assert before["metrics"] == after["metrics"]


def test_the_better_model_is_found_and_named(models: dict[str, Predictions]) -> None:
    """Against noise of 2.5 the truth wins in every metric, also where lower is better."""
    found = compare({name: models[name] for name in ("poor", "good")}, permutations=2000)

    for metric in found.metrics.values():
        assert metric.pairs[0].verdict == "good is better than poor"
    assert estimate(found.metrics[HARRELL].pairs[0].difference).value < 0
    assert estimate(found.metrics[INTEGRATED_BRIER].pairs[0].difference).value > 0


def test_p_values_of_all_pairs_are_adjusted_by_holm(models: dict[str, Predictions]) -> None:
    """Three pairs: the smallest p-value is multiplied by three, and none is below its own."""
    pairs = (
        compare(models, metric="harrell", permutations=2000, replicates=0).metrics[HARRELL].pairs
    )
    raw = [
        pair.permutation.p_value for pair in pairs if isinstance(pair.permutation, PermutationTest)
    ]
    adjusted = [pair.p_holm for pair in pairs]

    assert [(pair.first, pair.second) for pair in pairs] == [
        *(("good", "poor"), ("good", "worse"), ("poor", "worse"))
    ]
    assert min(adjusted) == pytest.approx(3 * min(raw))  # type: ignore[type-var]
    assert all(one <= other for one, other in zip(raw, adjusted, strict=True))  # type: ignore[operator]


def test_a_reference_is_compared_with_all_others(models: dict[str, Predictions]) -> None:
    """Differences are model - reference."""
    metric = compare(models, metric="ibs", reference="poor", **FAST).metrics[INTEGRATED_BRIER]

    assert [(pair.first, pair.second) for pair in metric.pairs] == [
        *(("good", "poor"), ("worse", "poor"))
    ]
    assert metric.pair("good", "poor") is metric.pairs[0]
    with pytest.raises(DataError, match="poor - good was not compared; there is good - poor"):
        metric.pair("poor", "good")


def test_tests_over_folds_and_repeats_are_those_of_the_evaluations_values(
    models: dict[str, Predictions],
) -> None:
    """Differences of fold and repeat values; test over training is 1 / (3 - 1)."""
    pair = compare(models, metric="harrell", **FAST).metrics[HARRELL].pair("good", "poor")
    evaluations = [
        evaluate(models[name], replicates=0).metric(HARRELL) for name in ("good", "poor")
    ]
    folds = np.subtract(evaluations[0].fold_values, evaluations[1].fold_values).tolist()

    assert pair.corrected == corrected_resampled_t(folds, test_over_train=0.5)
    assert isinstance(pair.corrected, CorrectedTest)
    assert isinstance(pair.wilcoxon, WilcoxonTest)
    assert pair.wilcoxon.p_value == 0.5


def test_one_repeat_and_an_undefined_fold_say_why_there_is_no_test() -> None:
    """Nothing is left out silently."""
    tables = {name: cohort(noise=1, seed=seed, repeats=1) for name, seed in (("a", 1), ("b", 2))}
    quiet = {
        name: replace(table, event=np.where(table.fold == 1, 0, table.event))
        for name, table in tables.items()
    }
    pair = compare(quiet, metric="harrell", **FAST).metrics[HARRELL].pairs[0]

    assert isinstance(pair.wilcoxon, Undefined)
    assert "two repeats at least" in pair.wilcoxon.reason
    assert isinstance(pair.corrected, Undefined)
    assert "not defined in fold 1: nobody has the event" in pair.corrected.reason
    assert isinstance(pair.permutation, PermutationTest)


def test_non_inferiority_is_judged_in_the_direction_of_the_metric(
    models: dict[str, Predictions],
) -> None:
    """The truth is not inferior to noise by any margin, noise to the truth by none so small."""
    for key in ("harrell", "ibs"):
        found = compare(models, metric=key, reference="good", margin=0.001)
        back = compare(models, metric=key, reference="poor", margin=0.001)
        poor, good = (
            next(iter(each.metrics.values())).pairs[0].non_inferiority for each in (found, back)
        )

        assert isinstance(poor, NonInferiority)
        assert isinstance(good, NonInferiority)
        assert good.shown
        assert good.bound > 0
        assert not poor.shown
        assert poor.gain == pytest.approx(-good.gain)
        assert poor.level == 0.975


def test_the_order_of_rows_is_irrelevant(models: dict[str, Predictions]) -> None:
    """Tables of other tools come in other orders."""
    shuffled = models | {"poor": models["poor"].select(np.random.default_rng(0).permutation(180))}
    first, second = (compare(each, **FAST).to_json() for each in (models, shuffled))

    assert first["metrics"] == second["metrics"]


def test_whole_sites_can_be_swapped_and_resampled(models: dict[str, Predictions]) -> None:
    """Three sites are three units; fewer than two are refused."""
    found = compare(models, metric="harrell", unit="site", **FAST).metrics[HARRELL].pairs[0]
    assert isinstance(found.permutation, PermutationTest)
    nowhere = {name: replace(table, site=None) for name, table in models.items()}

    assert found.permutation.units == 3
    assert "resamples by site" in estimate(found.difference).method
    with pytest.raises(DataError, match="have a column site with two sites at least, not 0"):
        compare(nowhere, unit="site")


def test_a_held_out_table_needs_training_subjects_for_brier_scores() -> None:
    """Without them the difference says why it is undefined; with them it is a number."""
    tables = {
        name: replace(table, fold=np.zeros(len(table), dtype=np.int64))
        for name, table in (("a", cohort(noise=0.5, repeats=1)), ("b", cohort(noise=2, repeats=1)))
    }
    alone = compare(tables, metric="ibs", **FAST).metrics[INTEGRATED_BRIER].pairs[0]
    given = compare(tables, metric="ibs", training=cohort(200, noise=1).target(), **FAST)
    pair = given.metrics[INTEGRATED_BRIER].pairs[0]

    assert isinstance(alone.difference, Undefined)
    assert isinstance(alone.permutation, Undefined)
    assert alone.verdict == "not defined"
    assert alone.p_holm is None
    assert pair.shares.sum() == pytest.approx(estimate(pair.difference).value, abs=1e-12)


def test_who_makes_the_difference_is_listed_by_size(models: dict[str, Predictions]) -> None:
    """Ten subjects at most, those of the largest share, with what happened to them."""
    found = compare(models, metric="harrell", **FAST)
    pair = found.metrics[HARRELL].pairs[0]
    listed = found.influential(pair)
    sizes = [abs(each["share"]) for each in listed]
    table = models["good"]
    row = int(np.flatnonzero(table.subject == listed[0]["subject"])[0])

    assert len(listed) == 10
    assert sizes == sorted(np.abs(pair.shares), reverse=True)[:10]
    assert listed[0]["duration"] == table.duration[row]
    assert listed[0]["event"] == table.event[row]
