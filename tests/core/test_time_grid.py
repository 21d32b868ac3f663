"""Intervals are (left, right] and the last edge is the horizon."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from survkit.errors import ConfigError, DataError
from survkit.flow import SurvivalTarget
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise, entry_index, fit_time_grid, interval_index

GRID = (1.0, 2.0, 4.0)
OUTCOME = OutcomeSpec(causes=("death", "relapse"), horizon=4.0, time_grid=GRID)


def test_intervals_are_closed_on_the_right() -> None:
    """A duration equal to an edge lies in the interval that ends there; later ones get T."""
    duration = torch.tensor([0.1, 1.0, 1.0001, 2.0, 3.0, 4.0, 4.0001, 1e9], dtype=torch.float64)

    assert interval_index(duration, GRID).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert interval_index(duration, GRID).dtype == torch.int64


def test_edges_are_compared_in_float64() -> None:
    """A double just above an edge is not rounded back onto it."""
    duration = torch.tensor([1.0 + 1e-12], dtype=torch.float64)

    assert interval_index(duration, GRID).tolist() == [1]


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=20))
def test_interval_index_agrees_with_counting_edges(durations: list[float]) -> None:
    """The index is the number of edges strictly below the duration."""
    expected = [sum(edge < duration for edge in GRID) for duration in durations]

    assert interval_index(torch.tensor(durations, dtype=torch.float64), GRID).tolist() == expected


def test_entry_index_counts_the_intervals_that_are_over() -> None:
    """Entry at an edge starts with the next interval; entry inside one keeps that one."""
    entry = torch.tensor([0.0, 0.5, 1.0, 1.5, 4.0, 9.0], dtype=torch.float64)

    assert entry_index(entry, GRID).tolist() == [0, 0, 1, 1, 3, 3]


def test_events_after_the_horizon_are_censored_at_it() -> None:
    """Later events become censored in T; events at it stay; censored at or after it get T."""
    target = SurvivalTarget(
        duration=torch.tensor([0.5, 4.0, 4.5, 1.5, 4.0, 7.0], dtype=torch.float64),
        event=torch.tensor([2, 1, 1, 0, 0, 0]),
    )

    interval, event = discretise(target, OUTCOME)

    assert interval.tolist() == [0, 2, 3, 1, 3, 3]
    assert event.tolist() == [2, 1, 0, 0, 0, 0]


def test_uniform_grid_ends_exactly_at_the_horizon() -> None:
    """0.1 * 3 is not 0.3 in floating point, yet the last edge is the horizon itself."""
    grid = fit_time_grid("uniform", intervals=3, horizon=0.3)

    assert grid[-1] == 0.3
    assert grid[:2] == pytest.approx((0.1, 0.2))


def test_quantile_edges_hold_equally_many_events() -> None:
    """Eight events make four intervals of two; censored and late subjects do not count."""
    duration = torch.tensor([1, 2, 3, 4, 5, 6, 7, 8, 2.5, 50], dtype=torch.float64)
    observed = torch.tensor([True] * 8 + [False, True])

    grid = fit_time_grid(
        "quantile", intervals=4, horizon=10.0, duration=duration, observed=observed
    )

    assert grid == (2.0, 4.0, 6.0, 10.0)


def test_equal_quantile_edges_are_merged() -> None:
    """Six of eight events at one time leave fewer intervals than asked."""
    duration = torch.tensor([1, 3, 3, 3, 3, 3, 3, 9], dtype=torch.float64)

    grid = fit_time_grid(
        "quantile", intervals=4, horizon=9.0, duration=duration, observed=duration > 0
    )

    assert grid == (3.0, 9.0)


def test_quantile_grid_without_two_event_times_is_refused() -> None:
    """One tied event time at the horizon, or no event at all, cannot be cut."""
    duration = torch.tensor([5.0, 5.0, 2.0], dtype=torch.float64)
    with pytest.raises(DataError, match="2 events leave 1 interval"):
        fit_time_grid(
            "quantile",
            intervals=4,
            horizon=5.0,
            duration=duration,
            observed=torch.tensor([True, True, False]),
        )
    with pytest.raises(DataError, match="0 events"):
        fit_time_grid(
            "quantile", intervals=4, horizon=5.0, duration=duration, observed=duration > 9
        )


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ((1.0, 1.0, 4.0), "strictly increasing"),
        ((0.0, 4.0), "strictly increasing"),
        ((1.0, float("nan"), 4.0), "strictly increasing"),
        ((1.0, 3.0), "last edge must be the horizon 4, not 3"),
        ((), "needs edges"),
    ],
)
def test_wrong_edges_are_refused(edges: tuple[float, ...], message: str) -> None:
    """Edges that make no grid are named in the error."""
    with pytest.raises(ConfigError, match=message):
        fit_time_grid("edges", horizon=4.0, edges=edges)


def test_given_edges_come_back() -> None:
    """Right edges are taken as they are."""
    assert fit_time_grid("edges", horizon=4.0, edges=[1, 2, 4]) == GRID


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"kind": "uniform", "intervals": 0, "horizon": 1.0}, "at least 1 interval"),
        ({"kind": "uniform", "horizon": 1.0}, "at least 1 interval"),
        (
            {"kind": "uniform", "intervals": 2, "horizon": float("nan")},
            "horizon must be a positive number",
        ),
        (
            {"kind": "uniform", "intervals": 2, "horizon": 1.0, "edges": [1.0]},
            "only for a grid of kind 'edges'",
        ),
        ({"kind": "quantile", "intervals": 2, "horizon": 1.0}, "training subjects"),
        ({"kind": "log", "intervals": 2, "horizon": 1.0}, "not 'log'"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    """Each refusal says what was expected."""
    with pytest.raises(ConfigError, match=message):
        fit_time_grid(**settings)  # type: ignore[arg-type]
