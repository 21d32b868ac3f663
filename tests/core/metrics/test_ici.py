"""Calibration indices against R's regressions, closed forms and simulation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget, select
from survkit.metrics.bootstrap import Bootstrap, bootstrap_counts, with_interval
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.ici import (
    calibration_index,
    calibration_index_statistic,
    smooth_calibration,
)
from survkit.metrics.weighted_quantile import weighted_quantile

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def golden(event: str, scored: str) -> tuple[torch.Tensor, SurvivalTarget]:
    data = GOLDEN["cohort"]
    duration = torch.tensor(data["duration"], dtype=torch.float64)
    predicted = torch.tensor(GOLDEN[scored], dtype=torch.float64).view(3, -1)[1]
    return predicted, SurvivalTarget(duration, torch.tensor(data[event]))


def simulated(n: int, seed: int) -> tuple[torch.Tensor, SurvivalTarget]:
    """Exponential durations whose true probability of an event by 1 is known, a third censored."""
    generator = torch.Generator().manual_seed(seed)
    rate = torch.randn(n, generator=generator, dtype=torch.float64).mul(0.8).exp()
    duration = -torch.rand(n, generator=generator, dtype=torch.float64).log() / rate
    censored = -2 * torch.rand(n, generator=generator, dtype=torch.float64).log()
    target = SurvivalTarget(duration.minimum(censored), (duration <= censored).long())
    return 1 - (-rate).exp(), target


@pytest.mark.parametrize(
    ("reference", "event", "scored"),
    [("calibration", "event", "risk"), ("calibration_cause", "cause", "incidence")],
)
def test_equals_r(reference: str, event: str, scored: str) -> None:
    """R's coxph on the spline, and finegray's weights with a competing cause: curve and indices."""
    predicted, target = golden(event, scored)

    curve = smooth_calibration(5.0, predicted, target)
    found = [
        value(calibration_index(5.0, predicted, target, index=index))
        for index in ("ici", "e50", "e90", "emax")
    ]

    assert isinstance(curve, torch.Tensor)
    np.testing.assert_allclose(curve.numpy(), GOLDEN[f"{reference}_observed"], rtol=1e-7)
    assert found == pytest.approx(GOLDEN[reference], rel=1e-6)


def test_true_probabilities_are_calibrated_and_wrong_ones_are_not() -> None:
    """The index of the truth is near 0; that of half the hazard is the mean distance to it."""
    truth, target = simulated(4000, 1)
    wrong = 1 - (1 - truth).sqrt()

    assert value(calibration_index(1.0, truth, target)) < 0.02
    assert value(calibration_index(1.0, wrong, target)) == pytest.approx(
        float((truth - wrong).mean()), abs=0.02
    )
    assert value(calibration_index(1.0, wrong, target, index="emax")) == pytest.approx(
        0.25, abs=0.03
    )


def test_monotone_change_of_time_does_nothing() -> None:
    """The regression is of ranks of time: squared durations and horizon give the same index."""
    predicted, target = simulated(200, 2)
    squared = SurvivalTarget(target.duration**2, target.event)

    found = value(calibration_index(0.64, predicted, squared))

    assert found == pytest.approx(value(calibration_index(0.8, predicted, target)), rel=1e-8)


@pytest.mark.parametrize("index", ["ici", "e50", "e90", "emax"])
def test_integer_weights_are_repeated_subjects(index: Any) -> None:
    """A subject of weight three is three subjects, knots included."""
    predicted, target = simulated(60, 3)
    times = torch.randint(1, 4, (60,), generator=torch.Generator().manual_seed(4))
    rows = torch.arange(60).repeat_interleave(times)
    weighted = SurvivalTarget(target.duration, target.event, weight=times)

    found = calibration_index(0.8, predicted, weighted, index=index)

    repeated = calibration_index(0.8, predicted[rows], select(target, rows), index=index)
    assert value(found) == pytest.approx(value(repeated), rel=1e-7)


@pytest.mark.parametrize("causes", [1, 2])
def test_replicates_refit_the_regression(causes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each replicate is the index of the drawn subjects, with the knots of the data."""
    predicted, target = simulated(80, 5)
    if causes == 2:
        other = torch.rand(80, generator=torch.Generator().manual_seed(6)) < 0.4
        event = torch.where(other & (target.event == 1), 2, target.event)
        target = SurvivalTarget(target.duration, event)
    statistic = calibration_index_statistic(0.8, predicted, target, index="e90")
    counts = bootstrap_counts(80, 4, torch.Generator().manual_seed(1))
    knots = statistic._knots()

    found = statistic.replicates(counts)

    monkeypatch.setattr(type(statistic), "_knots", lambda self: knots)
    for row in range(4):
        rows = torch.arange(80).repeat_interleave(counts[row])
        expected = calibration_index(0.8, predicted[rows], select(target, rows), index="e90")
        assert float(found[row]) == pytest.approx(value(expected), rel=1e-7)


def test_interval_and_method() -> None:
    """The index goes through the bootstrap; its method names the smoother."""
    predicted, target = simulated(200, 7)
    wrong = predicted**2

    result = with_interval(
        calibration_index_statistic(0.8, wrong, target), Bootstrap(replicates=200)
    )

    assert isinstance(result, Estimate)
    assert result.interval is not None
    assert result.interval.lower < result.value < result.interval.upper
    assert "Cox regression on a restricted cubic spline" in result.method


def test_quantiles_are_those_of_repeated_values() -> None:
    """The default quantile of numpy of values repeated as often as they were drawn."""
    generator = torch.Generator().manual_seed(8)
    values = torch.rand(3, 20, generator=generator, dtype=torch.float64)
    counts = bootstrap_counts(20, 3, generator)
    for probability in (0.0, 0.1, 0.5, 0.9, 1.0):
        found = weighted_quantile(values, counts.double(), probability)
        repeated = [
            np.quantile(np.repeat(one, times), probability)
            for one, times in zip(values.numpy(), counts.numpy(), strict=True)
        ]
        np.testing.assert_allclose(found.numpy(), repeated)


@pytest.mark.parametrize(
    ("predicted", "event", "horizon", "reason"),
    [
        ([0.1, 0.2, 0.3, 0.4], [0, 0, 2, 0], 2.0, "nobody has the event"),
        ([0.1, 0.2, 0.3, 0.4], [1, 1, 0, 0], 9.0, "follow-up ends at 4, before the horizon 9"),
        ([0.1, 0.2, 1.0, 0.4], [1, 1, 0, 0], 2.0, "row 2 is predicted 1"),
        ([0.0, 0.2, 0.3, 0.4], [1, 1, 0, 0], 2.0, "row 0 is predicted 0"),
        ([0.3, 0.3, 0.3, 0.3], [1, 1, 0, 0], 2.0, "too few distinct values"),
        ([0.4, 0.3, 0.2, 0.1], [1, 0, 0, 0], 2.0, "no maximum"),
    ],
)
def test_what_the_data_do_not_tell_is_undefined(
    predicted: list[float], event: list[int], horizon: float, reason: str
) -> None:
    """No event, certainty, one prediction for everybody, separation: no value, and a reason."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor(event))

    result = calibration_index(horizon, torch.tensor(predicted), target)
    curve = smooth_calibration(horizon, torch.tensor(predicted), target)

    assert isinstance(result, Undefined)
    assert reason in result.reason
    assert curve == result


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"predicted": torch.rand(200, 2)}, "predicted needs one number per subject"),
        ({"predicted": torch.full((200,), 1.5)}, "probabilities between 0 and 1"),
        ({"horizon": 0.0}, "horizon must be a positive time"),
        ({"index": "e99"}, "index must be one of ici, e50, e90, emax"),
        ({"cause": True}, "cause must be"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """The message says what is needed."""
    predicted, target = simulated(200, 9)
    given = {"horizon": 0.8, "predicted": predicted, "target": target, **change}

    with pytest.raises(DataError, match=message):
        calibration_index(**given)


def test_late_entry_is_refused_by_name() -> None:
    """The predictions are made at time 0."""
    predicted, target = simulated(50, 10)
    late = SurvivalTarget(target.duration, target.event, entry=target.duration / 2)

    with pytest.raises(DataError, match=r"target\.entry"):
        calibration_index(0.8, predicted, late)
