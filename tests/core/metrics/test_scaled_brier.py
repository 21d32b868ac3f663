"""Scaled Brier scores against R's riskRegression and their definition."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from survkit.flow import SurvivalTarget, select
from survkit.metrics.bootstrap import Bootstrap, bootstrap_counts, with_interval
from survkit.metrics.brier import (
    brier_score,
    brier_score_incidence,
    integrated_brier_score,
    integrated_brier_score_incidence,
)
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.scaled_brier import (
    scaled_brier_score,
    scaled_brier_score_incidence,
    scaled_brier_statistic,
)
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.kaplan_meier import kaplan_meier

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())
TIMES = (2.0, 3.5, 5.0, 8.0)


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(n: int, seed: int, causes: int = 1) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(seed)
    duration = (torch.rand(n, generator=generator, dtype=torch.float64) * 14 + 0.5).ceil()
    return SurvivalTarget(duration, torch.randint(0, causes + 1, (n,), generator=generator))


def incidences(n: int, seed: int) -> torch.Tensor:
    steps = torch.rand(n, len(TIMES), generator=torch.Generator().manual_seed(seed)).double()
    return steps.cumsum(1) / len(TIMES)


def golden(event: str, scored: str) -> tuple[torch.Tensor, SurvivalTarget]:
    data = GOLDEN["cohort"]
    target = SurvivalTarget(
        torch.tensor(data["duration"], dtype=torch.float64), torch.tensor(data[event])
    )
    return torch.tensor(GOLDEN[scored], dtype=torch.float64).view(3, -1).T, target


def test_survival_equals_r() -> None:
    """Brier score and index of prediction accuracy of R's riskRegression at three times."""
    risk, target = golden("event", "risk")
    for place, time in enumerate(GOLDEN["score_times"]):
        survival = 1 - risk[:, [place]]

        score = brier_score(survival, (time,), target, target)[0]
        scaled = scaled_brier_score(survival, (time,), target, target)

        assert value(score) == pytest.approx(GOLDEN["brier"][place], rel=1e-10)
        assert value(scaled) == pytest.approx(GOLDEN["scaled_brier"][place], rel=1e-9)


def test_incidence_equals_r() -> None:
    """The same with a competing cause."""
    incidence, target = golden("cause", "incidence")
    for place, time in enumerate(GOLDEN["score_times"]):
        column = incidence[:, [place]]

        score = brier_score_incidence(column, (time,), target, target)[0]
        scaled = scaled_brier_score_incidence(column, (time,), target, target)

        assert value(score) == pytest.approx(GOLDEN["brier_cause"][place], rel=1e-10)
        assert value(scaled) == pytest.approx(GOLDEN["scaled_brier_cause"][place], rel=1e-9)


def test_is_one_minus_the_ratio_to_the_training_curve() -> None:
    """Integrated scores of the model and of the training subjects' curve, for both outcomes."""
    training, target = cohort(150, 1, causes=2), cohort(100, 2, causes=2)
    predicted = incidences(100, 3)
    curve = kaplan_meier(training.duration, training.event > 0).at(TIMES).expand(100, -1)
    of_cause = aalen_johansen(training.duration, training.event, 2).at(TIMES)[1].expand(100, -1)

    survival = scaled_brier_score(1 - predicted, TIMES, target, training)
    incidence = scaled_brier_score_incidence(predicted, TIMES, target, training, cause=2)

    model = value(integrated_brier_score(1 - predicted, TIMES, target, training))
    null = value(integrated_brier_score(curve, TIMES, target, training))
    assert value(survival) == pytest.approx(1 - model / null)
    model = value(integrated_brier_score_incidence(predicted, TIMES, target, training, cause=2))
    null = value(integrated_brier_score_incidence(of_cause, TIMES, target, training, cause=2))
    assert value(incidence) == pytest.approx(1 - model / null)


def test_perfect_is_one_and_the_curve_itself_is_zero() -> None:
    """The two ends of the scale."""
    target = SurvivalTarget(cohort(80, 4).duration, torch.ones(80).long())
    alive = (target.duration[:, None] > torch.tensor(TIMES)).double()
    curve = kaplan_meier(target.duration, target.event > 0).at(TIMES).expand(80, -1)

    assert value(scaled_brier_score(alive, TIMES, target, target)) == 1.0
    assert value(scaled_brier_score(curve, TIMES, target, target)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("cause", [None, 2])
@pytest.mark.parametrize("same", [True, False])
def test_replicates_equal_resampled_subjects(cause: int | None, same: bool) -> None:
    """Each replicate is the score of the drawn subjects, curve and censoring model refitted."""
    target, predicted = cohort(60, 5, causes=2), incidences(60, 6)
    training = target if same else cohort(70, 7, causes=2)
    generator = torch.Generator().manual_seed(1)
    statistic = scaled_brier_statistic(predicted, TIMES, target, training, cause=cause)
    counts = [bootstrap_counts(size, 5, generator) for size in statistic.sizes]

    found = statistic.replicates(*counts)

    for row in range(5):
        rows = torch.arange(60).repeat_interleave(counts[0][row])
        drawn = torch.arange(len(training.duration)).repeat_interleave(counts[-1][row])
        expected = scaled_brier_statistic(
            predicted[rows], TIMES, select(target, rows), select(training, drawn), cause=cause
        ).estimate()
        assert float(found[row]) == pytest.approx(value(expected), rel=1e-10)


def test_interval_and_method() -> None:
    """The interval holds the value; the method names curve and training subjects."""
    target = cohort(200, 8)
    result = with_interval(
        scaled_brier_statistic(incidences(200, 9), TIMES, target, target), Bootstrap(replicates=100)
    )

    assert isinstance(result, Estimate)
    assert result.interval is not None
    assert result.interval.lower < result.value < result.interval.upper
    assert "Kaplan–Meier curve of 200 training subjects" in result.method


def test_no_error_of_the_curve_is_undefined() -> None:
    """Before the first event the curve is right for everybody: there is nothing to scale by."""
    target = cohort(30, 10)

    result = scaled_brier_score(torch.full((30, 1), 0.9), (0.1,), target, target)

    assert isinstance(result, Undefined)
    assert "predicts without error" in result.reason


def test_beyond_the_training_follow_up_is_undefined() -> None:
    """As the score that is scaled."""
    training = SurvivalTarget(torch.tensor([1.0, 4.0]), torch.tensor([1, 1]))

    result = scaled_brier_score(torch.full((30, 1), 0.9), (5.0,), cohort(30, 10), training)

    assert isinstance(result, Undefined)
    assert "beyond the training follow-up, which ends at 4" in result.reason
