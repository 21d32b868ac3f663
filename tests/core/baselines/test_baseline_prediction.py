"""How the models of several causes are joined, and where their curves end."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from survkit.baselines.prediction import combine
from survkit.baselines.protocol import Curves, Floats
from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.heads.cox import CoxHead
from survkit.specs import OutcomeSpec

TWO = OutcomeSpec(causes=("a", "b"), horizon=5.0, time_grid=(5.0,))


def curves(times: list[float], hazard: Floats) -> Curves:
    cumulative = hazard.cumsum(axis=1)
    return Curves(np.array(times), np.exp(-cumulative), cumulative)


def test_one_cause_keeps_the_models_own_survival_and_score() -> None:
    """Survival steps at the times; the score is handed on."""
    one = Curves(np.array([1.0, 3.0]), np.array([[0.9, 0.4]]), np.array([[0.2, 0.8]]))

    prediction = combine([one], [np.array([2.5])], 4.0)

    assert prediction.survival([0.5, 1.0, 2.9, 3.0, 4.0]).tolist() == [[1, 0.9, 0.9, 0.4, 0.4]]
    assert prediction.risk_score(4.0).tolist() == [2.5]


def test_nothing_is_said_beyond_the_longest_training_duration() -> None:
    """Flat up to it, refused after it."""
    prediction = combine([curves([1.0], np.array([[0.5]]))], [np.array([0.0])], 4.0)

    assert prediction.last_time == 4.0
    with pytest.raises(DataError, match="between 0 and 4"):
        prediction.survival([4.1])


def test_two_causes_by_hand() -> None:
    """A first step of both causes together, then one of the second alone."""
    first = curves([1.0], np.array([[0.3]]))
    second = curves([1.0, 2.0], np.array([[0.1, 0.6]]))

    prediction = combine([first, second], [np.zeros(1), np.zeros(1)], 3.0)

    left = np.exp(-0.4)
    expected = [[(1 - left) * 0.75] * 2, [(1 - left) * 0.25, (1 - left) * 0.25]]
    expected[1][1] += left * (1 - np.exp(-0.6))
    np.testing.assert_allclose(prediction.cumulative_incidence([1.0, 2.0])[0], expected)
    np.testing.assert_allclose(prediction.survival([2.0]), np.exp(-1.0))
    np.testing.assert_allclose(prediction.risk_score(2.0, 2), [expected[1][1]])


def test_it_is_the_cox_heads_combination() -> None:
    """The same hazards give the same incidences."""
    generator = torch.Generator().manual_seed(0)
    duration = torch.rand(60, generator=generator).double() * 5 + 0.1
    event = torch.randint(0, 3, (60,), generator=generator)
    log_hazard = torch.randn(60, 2, generator=generator).double()
    head = CoxHead(2, TWO)
    head.fit_baseline(log_hazard, SurvivalTarget(duration, event))
    hazard = head.baseline_hazard[None] * (log_hazard - head.baseline_center).exp()[:, :, None]
    times = head.baseline_times.tolist()

    prediction = combine(
        [curves(times, hazard[:, cause].numpy()) for cause in range(2)],
        [np.zeros(60)] * 2,
        float(duration.max()),
    )

    at = torch.linspace(0, 5, 20)
    torch.testing.assert_close(
        prediction.cumulative_incidence(at), head.predict(log_hazard).cumulative_incidence(at)
    )
    total = prediction.cumulative_incidence(at).sum(dim=1) + prediction.survival(at)
    torch.testing.assert_close(total, torch.ones_like(total))
