"""Restricted mean survival against R's survival and closed forms."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist

import pytest
import torch

from survkit.errors import DataError
from survkit.metrics.estimate import Estimate, Undefined
from survkit.nonparametric.restricted_mean import restricted_mean_survival

FOLDER = Path(__file__).parents[1] / "golden" / "metrics"
GOLDEN = json.loads((FOLDER / "golden_ii.json").read_text())
VETERAN = {
    name: torch.tensor(values)
    for name, values in json.loads((FOLDER / "golden.json").read_text())["veteran"].items()
}


@pytest.mark.parametrize(
    ("reference", "tau", "optional"),
    [
        ("mean_200", 200.0, {}),
        ("mean_weight_200", 200.0, {"weight": "diagtime"}),
        ("mean_entry_200", 200.0, {"entry": "entry"}),
        ("mean_999", 999.0, {}),
    ],
)
def test_mean_and_error_equal_r(reference: str, tau: float, optional: dict[str, str]) -> None:
    """Ties, case weights, delayed entry and a curve that reaches 0 give survfit's rmean and se."""
    extra = {name: VETERAN[column].double() for name, column in optional.items()}
    result = restricted_mean_survival(VETERAN["duration"], VETERAN["event"] == 1, tau, **extra)

    assert isinstance(result, Estimate)
    assert result.interval is not None
    width = result.interval.upper - result.interval.lower
    error = width / 2 / NormalDist().inv_cdf(0.975)
    assert [result.value, error] == pytest.approx(GOLDEN[reference], rel=1e-9)


def test_is_the_mean_of_truncated_durations_without_censoring() -> None:
    """E min(T, tau), with the standard error of that mean (divided by n)."""
    duration = torch.rand(50, generator=torch.Generator().manual_seed(1)).double() * 10
    everybody = torch.ones(50, dtype=torch.bool)
    cut = duration.clamp(max=6.0)

    result = restricted_mean_survival(duration, everybody, 6.0)

    assert isinstance(result, Estimate)
    assert result.interval is not None
    assert result.value == pytest.approx(float(cut.mean()))
    error = (result.interval.upper - result.value) / NormalDist().inv_cdf(0.975)
    assert error == pytest.approx(float(cut.std(correction=0)) / 50**0.5)


def test_nobody_observed_lives_until_tau() -> None:
    """The area under a curve that stays at 1."""
    result = restricted_mean_survival(torch.tensor([5.0, 7.0]), torch.tensor([False, False]), 6.0)

    assert isinstance(result, Estimate)
    assert (result.value, result.events) == (6.0, 0)


def test_short_follow_up_is_undefined_unless_the_curve_is_zero() -> None:
    """Beyond the last duration the curve is unknown, or known to be 0."""
    duration = torch.tensor([1.0, 3.0])

    unknown = restricted_mean_survival(duration, torch.tensor([True, False]), 4.0)
    known = restricted_mean_survival(duration, torch.tensor([True, True]), 4.0)

    assert isinstance(unknown, Undefined)
    assert "follow-up ends at 3 with somebody event-free, before tau 4" in unknown.reason
    assert isinstance(known, Estimate)
    assert known.value == 2.0


@pytest.mark.parametrize("tau", [0.0, -1.0, float("nan"), float("inf")])
def test_bad_tau_is_refused_by_name(tau: float) -> None:
    """Time is counted until a positive, finite time."""
    with pytest.raises(DataError, match="tau must be a positive time"):
        restricted_mean_survival(torch.tensor([1.0]), torch.tensor([True]), tau)
