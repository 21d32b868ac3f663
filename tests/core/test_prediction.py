from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from survkit.errors import DataError
from survkit.prediction import GridPrediction

GRID = torch.tensor([10.0, 20.0, 40.0], dtype=torch.float64)
INCIDENCE = torch.tensor([[[0.1, 0.2, 0.6]], [[0.0, 0.5, 0.5]]], dtype=torch.float64)


def linear() -> GridPrediction:
    return GridPrediction(time_grid=GRID, incidence=INCIDENCE, interpolation="linear")


def test_between_edges_the_probability_is_spread_evenly() -> None:
    """Half way through an interval half of its probability has come."""
    incidence = linear().cumulative_incidence([0, 5, 10, 15, 30, 40])[:, 0]

    expected = torch.tensor(
        [[0, 0.05, 0.1, 0.15, 0.4, 0.6], [0, 0, 0, 0.25, 0.5, 0.5]], dtype=torch.float64
    )
    torch.testing.assert_close(incidence, expected)


def test_a_step_function_jumps_at_its_knots_and_is_right_continuous() -> None:
    """The value at an event time counts the event; just before it does not."""
    steps = GridPrediction(time_grid=GRID, incidence=INCIDENCE, interpolation="step")

    incidence = steps.cumulative_incidence([9.999, 10.0, 39.0])[0, 0]

    assert incidence.tolist() == [0.0, 0.1, 0.2]


def test_survival_and_incidences_sum_to_one() -> None:
    """Everybody is event-free or had one of the causes."""
    prediction = GridPrediction(
        time_grid=GRID,
        incidence=torch.tensor([[[0.1, 0.2, 0.3], [0.05, 0.3, 0.6]]], dtype=torch.float64),
        interpolation="linear",
    )
    times = [1.0, 17.0, 33.0, 40.0]

    total = prediction.survival(times) + prediction.cumulative_incidence(times).sum(dim=1)

    torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize("time", [-1.0, 40.001, float("nan"), float("inf")])
def test_times_it_says_nothing_about_are_refused(time: float) -> None:
    """A curve is not extrapolated."""
    with pytest.raises(DataError, match=r"between 0 and 40.* was asked"):
        linear().survival([5.0, time])


def test_a_step_function_may_be_known_beyond_its_last_jump() -> None:
    """Follow-up without events after the last event is knowledge too."""
    steps = GridPrediction(
        time_grid=GRID, incidence=INCIDENCE, interpolation="step", known_until=60.0
    )

    assert steps.survival([60.0])[:, 0].tolist() == pytest.approx([0.4, 0.5])


def test_the_risk_score_of_a_proportional_model_does_not_saturate() -> None:
    """Two subjects who both die almost surely are still ordered."""
    certain = GridPrediction(
        time_grid=GRID,
        incidence=torch.ones(2, 1, 3, dtype=torch.float64),
        interpolation="step",
        log_hazard=torch.tensor([[50.0], [60.0]], dtype=torch.float64),
    )

    low, high = certain.risk_score(horizon=40.0).tolist()

    assert low < high


@settings(deadline=None, max_examples=50)
@given(st.lists(st.floats(0, 40), min_size=2, max_size=20))
def test_survival_never_increases(times: list[float]) -> None:
    """Whatever times are asked, later survival is not larger."""
    survival = linear().survival(sorted(times))

    assert (survival.diff(dim=1) <= 1e-15).all()
