"""Event times and censoring follow their closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from survkit.errors import ConfigError
from survkit_radvit.shallow.event_times import (
    RATE,
    Follow,
    censored_share,
    censoring_rate,
    observe,
)
from survkit_radvit.shallow.fixed_region import normal_population
from survkit_radvit.shallow.random_places import RELEVANT, log_hazard_of

POPULATIONS = {
    "A": log_hazard_of(torch.arange(RELEVANT + 1)),
    "B": normal_population(),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", POPULATIONS)
def test_share_of_two_exponentials(name: str) -> None:
    """P(C < T) = rate / (rate + hazard), averaged over the population."""
    population = POPULATIONS[name]
    hazard = RATE * population.exp()
    for rate in (0.01, 0.05, 0.4):
        expected = float((rate / (rate + hazard)).mean())

        assert censored_share(population, rate, 1.0) == pytest.approx(expected, abs=2e-5)


def test_share_under_a_rising_hazard() -> None:
    """With shape 2 and log hazard 0, P(C < T) = 1 - E exp(-r T), T of Rayleigh's distribution:
    sqrt(pi) x exp(x^2) erfc(x) with x = r / (2 sqrt(RATE)).
    """
    rate = 0.2
    x = rate / (2 * math.sqrt(RATE))
    expected = math.sqrt(math.pi) * x * math.exp(x**2) * math.erfc(x)

    found = censored_share(torch.zeros(1, dtype=torch.float64), rate, 2.0)
    assert found == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("shape", [1.0, 1.7])
@pytest.mark.parametrize("censored", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("name", POPULATIONS)
def test_the_share_asked_for_is_censored(name: str, censored: float, shape: float) -> None:
    """Of 40,000 drawn subjects, within four standard errors."""
    population, follow = POPULATIONS[name], Follow(censored=censored, shape=shape)
    rate = censoring_rate(population, follow)
    rows = torch.randint(len(population), (40_000,), generator=generator())

    _, observed = observe(population[rows], follow, rate, generator(1))

    error = math.sqrt(censored * (1 - censored) / 40_000)
    assert 1 - float(observed.double().mean()) == pytest.approx(censored, abs=4 * error)


@pytest.mark.parametrize("shape", [1.0, 0.6, 2.0])
def test_the_cumulative_hazard_at_the_event_is_exponential(shape: float) -> None:
    """RATE exp(log hazard) T^shape has mean 1 and median log 2 where hardly anybody is censored."""
    log_hazard = torch.linspace(-2, 2, 40_000, dtype=torch.float64)

    duration, observed = observe(log_hazard, Follow(shape=shape), 1e-12, generator())

    cumulative = RATE * log_hazard.exp() * duration**shape
    assert bool(observed.all())
    assert float(cumulative.mean()) == pytest.approx(1, abs=4 / 200)
    assert float(cumulative.median()) == pytest.approx(math.log(2), abs=4 / 200)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"censored": 0.0}, "censored must be a share between 0 and 1, not 0.0"),
        ({"censored": 1.0}, "censored must be a share"),
        ({"censored": math.nan}, "censored must be a share"),
        ({"shape": 0.0}, "Weibull shape must be a positive number, not 0.0"),
        ({"shape": math.inf}, "Weibull shape"),
        ({"shape": math.nan}, "Weibull shape"),
    ],
)
def test_what_means_nothing_is_refused(settings: dict[str, float], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Follow(**settings)
