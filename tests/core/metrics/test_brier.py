"""Brier scores against scikit-survival and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics import brier_score, brier_score_incidence, integrated_brier_score
from survkit.metrics.brier import integrated_brier_score_incidence
from survkit.metrics.estimate import Estimate, Undefined

TIMES = (2.0, 3.5, 5.0, 8.0, 11.0)


def value(result: object) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def cohort(n: int, seed: int, *, rounded: bool, causes: int = 1) -> SurvivalTarget:
    generator = torch.Generator().manual_seed(seed)
    duration = torch.rand(n, generator=generator, dtype=torch.float64) * 14 + 0.5
    event = torch.randint(0, causes + 1, (n,), generator=generator)
    return SurvivalTarget(duration.ceil() if rounded else duration, event)


def curves(n: int, seed: int) -> torch.Tensor:
    steps = torch.rand(n, len(TIMES), generator=torch.Generator().manual_seed(seed)).double()
    return 1 - steps.cumsum(1) / len(TIMES)


@pytest.mark.parametrize("rounded", [False, True])
def test_equals_scikit_survival(rounded: bool) -> None:
    """Scores and their integral, with and without ties, censoring model from other subjects."""
    sksurv = pytest.importorskip("sksurv.metrics")
    training, target = cohort(300, 1, rounded=rounded), cohort(200, 2, rounded=rounded)
    survival = curves(200, 3)

    def structured(given: SurvivalTarget) -> Any:
        dtype = [("event", bool), ("time", float)]
        pairs = zip(given.event.bool().tolist(), given.duration.tolist(), strict=True)
        return np.array(list(pairs), dtype=dtype)

    both = (structured(training), structured(target), survival.numpy(), np.array(TIMES))
    found = brier_score(survival, TIMES, target, training, event_weight="at")
    integral = integrated_brier_score(survival, TIMES, target, training, event_weight="at")

    np.testing.assert_allclose([value(one) for one in found], sksurv.brier_score(*both)[1], 1e-12)
    assert value(integral) == pytest.approx(sksurv.integrated_brier_score(*both), rel=1e-12)
    if not rounded:  # where nothing is tied, both readings of the censoring survival agree
        assert value(integrated_brier_score(survival, TIMES, target, training)) == pytest.approx(
            value(integral), rel=1e-12
        )


def test_is_the_mean_squared_error_without_censoring() -> None:
    """All weights are one when nobody is censored."""
    target = SurvivalTarget(cohort(80, 4, rounded=True).duration, torch.ones(80).long())
    survival = curves(80, 5)
    alive = (target.duration[:, None] > torch.tensor(TIMES)).double()

    found = [value(one) for one in brier_score(survival, TIMES, target, target)]

    torch.testing.assert_close(found, ((survival - alive) ** 2).mean(0).tolist())


def test_weights_by_hand_with_a_tie() -> None:
    """G is read just before an event: the censoring tied with it does not raise its weight."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 2.0, 4.0]), torch.tensor([0, 1, 0, 1]))
    survival = torch.full((4, 1), 0.25)

    (found,) = brier_score(survival, (3.0,), target, target)

    expected = (0.25**2 / 0.75 + 0.75**2 / 0.375) / 4  # G(2-) = 3/4, G(3) = 3/8
    assert value(found) == pytest.approx(expected)


def test_causes_add_up_to_survival_of_a_perfect_prediction() -> None:
    """Predicting what happened scores 0 for every cause; the opposite of it scores its weights."""
    target = cohort(60, 6, rounded=True, causes=2)
    target = SurvivalTarget(target.duration, target.event.clamp(min=1))
    happened = target.duration[:, None] <= torch.tensor(TIMES)
    for cause in (1, 2):
        truth = (happened & (target.event == cause)[:, None]).double()
        found = brier_score_incidence(truth, TIMES, target, target, cause=cause)
        assert [value(one) for one in found] == [0.0] * len(TIMES)
        wrong = integrated_brier_score_incidence(1 - truth, TIMES, target, target, cause=cause)
        assert value(wrong) == pytest.approx(1.0)


def test_competing_event_is_known_not_to_be_the_cause() -> None:
    """One subject with a competing event: the error is the squared prediction."""
    target = SurvivalTarget(torch.tensor([1.0, 9.0]), torch.tensor([2, 1]))
    predicted = torch.tensor([[0.3], [0.4]])

    (found,) = brier_score_incidence(predicted, (5.0,), target, target)

    assert value(found) == pytest.approx((0.09 + 0.16) / 2)


def test_beyond_the_training_follow_up_is_undefined() -> None:
    """Nothing is known about censoring there; the other times keep their value."""
    training = SurvivalTarget(torch.tensor([1.0, 4.0]), torch.tensor([1, 1]))
    target = cohort(10, 1, rounded=True)

    results = brier_score(curves(10, 1)[:, :4], TIMES[:4], target, training)
    integral = integrated_brier_score(curves(10, 1)[:, :4], TIMES[:4], target, training)

    assert [isinstance(one, Estimate) for one in results] == [True, True, False, False]
    assert isinstance(integral, Undefined)
    assert "beyond the training follow-up, which ends at 4" in integral.reason


def test_no_weight_when_everybody_is_censored() -> None:
    """G is zero at the last censoring."""
    training = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([0, 0]))

    (result,) = brier_score(curves(10, 1)[:, :1], (2.0,), cohort(10, 1, rounded=True), training)

    assert isinstance(result, Undefined)
    assert "censored by 2" in result.reason


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"survival": torch.rand(10)}, r"incidence must be a \(batch=10, grid\)"),
        ({"survival": torch.full((10, 5), float("nan"))}, "probabilities between 0 and 1"),
        ({"times": (1.0, 2.0)}, r"one time per column \(5\)"),
        ({"times": (1.0, 3.0, 2.0, 4.0, 5.0)}, "times must be finite, >= 0 and increasing"),
        ({"training": torch.rand(3)}, "training must be a SurvivalTarget, not Tensor"),
        ({"event_weight": "after"}, "event_weight must be"),
    ],
)
def test_bad_input_is_refused_by_name(change: dict[str, Any], message: str) -> None:
    """The message names the argument."""
    target = cohort(10, 1, rounded=True)
    given = {"survival": curves(10, 1), "times": TIMES, "training": target, **change}

    with pytest.raises(DataError, match=message):
        brier_score(given.pop("survival"), given.pop("times"), target, **given)


def test_late_entry_is_refused_by_name() -> None:
    """Neither the score nor its weights are defined for subjects who entered late."""
    target = cohort(10, 1, rounded=True)
    late = SurvivalTarget(target.duration, target.event, entry=target.duration / 2)

    with pytest.raises(DataError, match=r"target\.entry"):
        brier_score(curves(10, 1), TIMES, late, target)
    with pytest.raises(DataError, match=r"training\.entry"):
        brier_score(curves(10, 1), TIMES, target, late)
