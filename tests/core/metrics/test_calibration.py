"""Calibration at a horizon."""

from __future__ import annotations

import json
from math import log
from typing import Any

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics import (
    Bootstrap,
    Estimate,
    Undefined,
    bootstrap_replicates,
    calibration_at,
    observed_expected_statistic,
)
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.kaplan_meier import kaplan_meier


def cohort(n: int, causes: int) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(n)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 10 + 1
    return SurvivalTarget(duration, torch.randint(0, causes + 1, (n,), generator=generator))


@pytest.mark.parametrize("causes", [1, 2])
def test_groups_hold_the_estimator_of_their_subjects(causes: int) -> None:
    """Each tenth's observed value is Kaplan–Meier's or Aalen–Johansen's, with its interval."""
    generator = torch.Generator().manual_seed(1)
    target, predicted = cohort(200, causes), torch.rand(200, generator=generator).double()
    result = calibration_at(6.0, predicted, target, groups=10)

    lowest = select(target, predicted.argsort()[:20])
    observed = result.groups[0].observed
    assert isinstance(observed, Estimate)
    assert len(result.groups) == 10
    assert observed.n == 20
    expected = aalen_johansen(lowest.duration, lowest.event, causes).at([6.0])[0, 0]
    assert observed.value == pytest.approx(float(expected))
    if causes == 1:
        survival = kaplan_meier(lowest.duration, lowest.event == 1).at([6.0])
        assert observed.value == pytest.approx(1 - float(survival))
    assert observed.interval is not None
    assert observed.interval.lower < observed.value < observed.interval.upper
    assert result.groups[0].predicted == pytest.approx(float(predicted.sort().values[:20].mean()))


def test_ratio_is_one_for_the_observed_incidence() -> None:
    """Predicting everybody's Aalen–Johansen value is calibrated in the large, in one group."""
    target = cohort(100, 2)
    truth = float(aalen_johansen(target.duration, target.event, 2).at([5.0])[0, 0])

    result = calibration_at(5.0, torch.full((100,), truth), target)

    assert len(result.groups) == 1
    assert isinstance(result.observed_expected, Estimate)
    assert result.observed_expected.value == pytest.approx(1.0, rel=1e-6)
    json.dumps(result.to_json(), allow_nan=False)


def test_half_the_prediction_doubles_the_ratio_and_its_interval() -> None:
    """Observed over expected is inverse in the prediction."""
    target, predicted = cohort(100, 1), torch.full((100,), 0.5)
    full = calibration_at(5.0, predicted, target).observed_expected
    half = calibration_at(5.0, predicted / 2, target).observed_expected

    assert isinstance(full, Estimate)
    assert isinstance(half, Estimate)
    assert half.value == pytest.approx(2 * full.value)


def test_ratio_moves_with_both_terms() -> None:
    """Its error is that of a bootstrap which draws predictions and outcomes together."""
    target = cohort(150, 1)
    predicted = 1 / (1 + target.duration / 4)  # who dies early was predicted to
    result = calibration_at(5.0, predicted, target).observed_expected
    statistic = observed_expected_statistic(5.0, predicted, target)
    ratios = bootstrap_replicates(statistic, Bootstrap(replicates=2000))

    assert isinstance(result, Estimate)
    assert result.interval is not None
    width = log(result.interval.upper / result.interval.lower)
    assert width / 2 / 1.976 == pytest.approx(float(ratios.log().std()), rel=0.1)
    assert result.value == pytest.approx(float(statistic.replicates(torch.ones(1, 150))[0]))


def test_groups_of_weighted_subjects_have_equal_weight() -> None:
    """A subject of weight three is three subjects, for where groups are cut too."""
    target, generator = cohort(90, 2), torch.Generator().manual_seed(4)
    predicted = torch.rand(90, generator=generator).double()
    times = torch.randint(1, 4, (90,), generator=generator)
    rows = torch.arange(90).repeat_interleave(times)
    weighted = SurvivalTarget(target.duration, target.event, weight=times.double())

    found = calibration_at(5.0, predicted, weighted, groups=4).groups

    repeated = calibration_at(5.0, predicted[rows], select(target, rows), groups=4).groups
    assert [(one.lowest, one.highest) for one in found] == [
        (one.lowest, one.highest) for one in repeated
    ]
    assert [one.predicted for one in found] == pytest.approx([one.predicted for one in repeated])


def test_horizon_after_the_follow_up_is_undefined() -> None:
    """A group that nobody is followed long enough in has a reason, not a number."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 8.0, 9.0]), torch.tensor([1, 0, 0, 0]))

    result = calibration_at(5.0, torch.tensor([0.9, 0.8, 0.2, 0.1]), target, groups=2)

    assert isinstance(result.groups[1].observed, Undefined)
    assert "follow-up ends at 2, before the horizon 5" in result.groups[1].observed.reason
    assert isinstance(result.groups[0].observed, Estimate)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": torch.rand(4, 2)}, "predicted needs one number per subject"),
        ({"predicted": torch.tensor([0.1, 0.2, 0.3, 1.4])}, "probabilities between 0 and 1"),
        ({"horizon": 0.0}, "positive horizon"),
        ({"groups": 0}, "one group at least"),
    ],
)
def test_bad_input_is_refused(change: dict[str, Any], message: str) -> None:
    """The message says what is needed."""
    given = {"horizon": 5.0, "predicted": torch.rand(4), **change}

    with pytest.raises(DataError, match=message):
        calibration_at(given.pop("horizon"), given.pop("predicted"), cohort(4, 1), **given)
