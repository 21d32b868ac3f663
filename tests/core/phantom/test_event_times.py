"""Event times against the hazards that are claimed for them."""

import numpy as np
import pytest
from scipy import integrate, stats

from survkit.errors import ConfigError
from survkit.phantom import PhantomConfig, WeibullBaseline, generate_phantom
from survkit.phantom.event_times import find_censoring_rate, observe


def test_cumulative_hazards_at_the_event_are_exponential() -> None:
    """H(T) ~ Exp(1) if and only if T has the cumulative hazard H (both causes together)."""
    phantom = generate_phantom(PhantomConfig(subjects=3000, size=16, causes=2))
    baseline, time = phantom.config.cause_baseline, phantom.outcome.event_time
    total = baseline.rates(phantom.log_hazard).sum(axis=1) * time**baseline.shape

    assert stats.kstest(total, "expon").pvalue > 0.01


def test_incidence_is_the_integral_of_hazard_times_survival() -> None:
    """F_k(t) = integral of h_k S, and with S all incidences sum to one."""
    baseline = WeibullBaseline(shape=1.4, scales=(700.0, 1900.0))
    log_hazard = np.array([[0.7, -0.4]])

    def density(time: float, cause: int) -> float:
        rates = baseline.rates(log_hazard)[0]
        survival = np.exp(-rates.sum() * time**baseline.shape)
        return float(rates[cause] * baseline.shape * time ** (baseline.shape - 1) * survival)

    closed = baseline.cumulative_incidence(log_hazard, np.array([900.0]))[0, :, 0]
    total = baseline.cumulative_hazard(log_hazard, np.array([900.0])).sum()

    for cause in (0, 1):
        assert integrate.quad(density, 0, 900, args=(cause,))[0] == pytest.approx(closed[cause])
    assert closed.sum() + np.exp(-total) == pytest.approx(1)


def test_shares_of_competing_causes_follow_the_incidence() -> None:
    """The share of subjects with each cause by two years equals the mean true incidence."""
    phantom = generate_phantom(PhantomConfig(subjects=3000, size=16, causes=2))
    outcome = phantom.outcome
    expected = phantom.cumulative_incidence([730.0]).mean(axis=0)[:, 0]

    for cause in (1, 2):
        happened = (outcome.event_time <= 730) & (outcome.event_cause == cause)
        spread = np.sqrt(expected[cause - 1] * (1 - expected[cause - 1]) / len(phantom))
        assert abs(happened.mean() - expected[cause - 1]) < 3 * spread


@pytest.mark.parametrize(("censored", "causes"), [(0.3, 1), (0.35, 2), (0.7, 1), (0.9, 2)])
def test_censored_share_is_reached(censored: float, causes: int) -> None:
    """The share of censored subjects is the one asked for, within three standard errors."""
    config = PhantomConfig(subjects=2000, size=16, causes=causes, censored=censored)
    events = generate_phantom(config).outcome.event

    spread = np.sqrt(censored * (1 - censored) / len(events))
    assert abs((events == 0).mean() - censored) < 3 * spread


def test_both_kinds_of_censoring_happen() -> None:
    """Some subjects leave early and some are followed to the end, nobody beyond."""
    outcome = generate_phantom(PhantomConfig(subjects=500, size=16, follow_up=1500.0)).outcome
    censored = outcome.duration[outcome.event == 0]

    assert outcome.duration.max() == 1500
    assert (censored == 1500).sum() > 20
    assert (censored < 1500).sum() > 20
    assert (outcome.duration > 0).all()


def test_without_random_censoring_the_share_is_that_of_follow_up() -> None:
    """The least reachable share needs a censoring rate of zero."""
    baseline, log_hazard = WeibullBaseline(shape=1.0, scales=(1000.0,)), np.zeros((1, 1))

    rate = find_censoring_rate(baseline, log_hazard, 1000.0, float(np.exp(-1)) + 1e-12)

    assert rate == pytest.approx(0, abs=1e-10)


def test_censoring_rate_has_its_closed_form() -> None:
    """With a constant hazard h and endless follow-up the censored share is c / (c + h)."""
    baseline, log_hazard = WeibullBaseline(shape=1.0, scales=(500.0,)), np.zeros((1, 1))

    rate = find_censoring_rate(baseline, log_hazard, 1e5, 0.25)

    assert rate == pytest.approx(0.25 / 0.75 / 500, rel=1e-3)


def test_too_small_a_censored_share_is_refused() -> None:
    """What the end of follow-up alone censors cannot be undone."""
    with pytest.raises(ConfigError, match="follow-up of 30 days alone leaves"):
        generate_phantom(PhantomConfig(subjects=5, size=16, follow_up=30.0, censored=0.1))


def test_an_event_at_the_end_of_observation_is_seen() -> None:
    """Events come before censorings at tied times."""
    outcome = observe(np.array([5.0, 6.0]), np.array([2, 1]), np.array([5.0, 5.0]))

    assert outcome.event.tolist() == [2, 0]
    assert outcome.duration.tolist() == [5, 5]


def test_a_negative_scale_is_refused() -> None:
    """Weibull parameters are positive."""
    with pytest.raises(ConfigError, match="must be positive numbers"):
        WeibullBaseline(scales=(-1.0,))
