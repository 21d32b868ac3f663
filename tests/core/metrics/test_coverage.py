"""How often a 95 % interval holds the truth: simulated cohorts of 300, about 30 % censored.

Truths are closed forms where there are, else the value in one very large cohort (for measures that
do not depend on censoring, without any). ``docs/metrics.md`` has the table that the slow test
prints.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import log

import pytest
import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Bootstrap,
    Estimate,
    Interval,
    antolini_statistic,
    brier_statistic,
    calibration_at,
    calibration_index_statistic,
    dynamic_auc_statistic,
    harrell_statistic,
    jackknife_interval,
    scaled_brier_statistic,
    uno_statistic,
    with_interval,
)
from survkit.metrics.bootstrap import Statistic
from survkit.metrics.estimate import Result
from survkit.nonparametric.aalen_johansen import aalen_johansen
from survkit.nonparametric.kaplan_meier import kaplan_meier
from survkit.nonparametric.nelson_aalen import nelson_aalen
from survkit.nonparametric.restricted_mean import restricted_mean_survival

SUBJECTS = 300
LARGE = 300_000
TIMES = torch.tensor([0.25, 0.5, 0.75, 1.0], dtype=torch.float64)
HORIZON, PLACE, TAU = 0.75, 2, 1.5
FIRST_CAUSE = 0.7

Intervals = Mapping[str, Interval]


@dataclass(frozen=True)
class Cohort:
    """Exponential durations with rate exp(x); z is noise that the predictions take for a shape."""

    x: Tensor
    z: Tensor
    target: SurvivalTarget
    cause: Tensor

    @property
    def score(self) -> Tensor:
        return self.x + 0.5 * self.z

    @property
    def incidence(self) -> Tensor:
        """Predictions whose curves cross, at the four times; (batch, 4)."""
        power = TIMES ** (0.3 * self.z).exp()[:, None]
        return -torch.expm1(-power * (0.8 * self.x + 0.2).exp()[:, None])

    @property
    def too_low(self) -> Tensor:
        """Predictions by the horizon that are miscalibrated, in a way a Cox regression can fit."""
        return -torch.expm1(-HORIZON * (0.6 * self.x - 0.3).exp())


def draw(size: int, generator: torch.Generator, *, censored: bool = True) -> Cohort:
    x, z = torch.randn(2, size, generator=generator, dtype=torch.float64)
    first, second, third = torch.rand(3, size, generator=generator, dtype=torch.float64)
    duration, censoring = -first.log() / x.exp(), -second.log() / 0.36
    observed = duration <= censoring if censored else torch.ones_like(first, dtype=torch.bool)
    cause = torch.where(third < FIRST_CAUSE, 1, 2) * observed
    target = SurvivalTarget(torch.where(observed, duration, censoring), observed.long())
    return Cohort(x, z, target, cause)


def statistics(cohort: Cohort) -> dict[str, Statistic]:
    """Every statistic that is resampled; the censoring model is fitted to the same subjects."""
    target, score, incidence = cohort.target, cohort.score, cohort.incidence
    column = torch.searchsorted(TIMES, target.duration).clamp(max=len(TIMES) - 1)
    one, at = incidence[:, [PLACE]], TIMES[[PLACE]]
    return {
        "harrell": harrell_statistic(score, target),
        "uno": uno_statistic(score, target, target, tau=TAU),
        "antolini": antolini_statistic(incidence, column, target),
        "auc": dynamic_auc_statistic(score, at, target, target),
        "mean auc": dynamic_auc_statistic(score, TIMES, target, target),
        "brier": brier_statistic(one, at, target, target),
        "integrated brier": brier_statistic(incidence, TIMES, target, target),
        "scaled brier": scaled_brier_statistic(one, at, target, target),
        "integrated scaled brier": scaled_brier_statistic(incidence, TIMES, target, target),
        "ici": calibration_index_statistic(HORIZON, cohort.too_low, target),
    }


CENSORED = ("harrell", "antolini")
"""What these estimate depends on who is censored."""


@cache
def truths() -> dict[str, float]:
    """What the intervals should hold."""
    generator = torch.Generator().manual_seed(99)
    cohorts = {censored: draw(LARGE, generator, censored=censored) for censored in (False, True)}
    found = {}
    for censored, cohort in cohorts.items():
        for name, statistic in statistics(cohort).items():
            if name != "ici" and (name in CENSORED) == censored:
                found[name] = value(statistic.estimate())
    x = torch.randn(2_000_000, generator=generator, dtype=torch.float64)
    survival = (-HORIZON * x.exp()).exp()
    event, predicted = 1 - survival, Cohort(x, x, cohorts[True].target, x).too_low
    marginal = float(survival.mean())
    return found | {
        "ici": float((event - predicted).abs().mean()),
        "observed/expected": float(event.mean() / predicted.mean()),
        "kaplan–meier": marginal,
        "nelson–aalen": -log(marginal),
        "aalen–johansen 1": FIRST_CAUSE * (1 - marginal),
        "aalen–johansen 2": (1 - FIRST_CAUSE) * (1 - marginal),
        "restricted mean": float((-torch.expm1(-TAU * x.exp()) / x.exp()).mean()),
    }


def value(result: Result) -> float:
    assert isinstance(result, Estimate), result
    return result.value


def interval(result: Result) -> Interval:
    assert isinstance(result, Estimate), result
    assert result.interval is not None, result.method
    return result.interval


def analytic(cohort: Cohort) -> Iterator[tuple[str, Interval]]:
    """Intervals without resampling: the jackknife's, and those of the curves."""
    for name, statistic in statistics(cohort).items():
        yield f"{name}, jackknife", interval(jackknife_interval(statistic))
    target = cohort.target
    found = calibration_at(HORIZON, cohort.too_low, target)
    yield "observed/expected", interval(found.observed_expected)
    plain = (target.duration, target.event == 1)
    curves = {"kaplan–meier": kaplan_meier(*plain), "nelson–aalen": nelson_aalen(*plain)}
    for name, curve in curves.items():
        lower, upper = (float(bound[0]) for bound in curve.bounds_at([HORIZON]))
        yield name, Interval(lower, upper, 0.95)
    both = aalen_johansen(target.duration, cohort.cause, 2).bounds_at([HORIZON])
    for cause in (1, 2):
        lower, upper = (float(bound[cause - 1, 0]) for bound in both)
        yield f"aalen–johansen {cause}", Interval(lower, upper, 0.95)
    yield "restricted mean", interval(restricted_mean_survival(*plain, TAU))


def resampled(cohort: Cohort, replicates: int, seed: int) -> Iterator[tuple[str, Interval]]:
    """Percentile intervals of the bootstrap."""
    for name, statistic in statistics(cohort).items():
        bootstrap = Bootstrap(replicates=replicates, seed=seed)
        yield f"{name}, bootstrap", interval(with_interval(statistic, bootstrap))


def coverage(
    intervals: Callable[[Cohort, int], Iterator[tuple[str, Interval]]], cohorts: int, seed: int
) -> dict[str, float]:
    """Share of simulated cohorts whose interval holds the truth."""
    generator, held = torch.Generator().manual_seed(seed), Counter[str]()
    for number in range(cohorts):
        for name, found in intervals(draw(SUBJECTS, generator), number):
            truth = truths()[name.partition(",")[0]]
            held[name] += found.lower <= truth <= found.upper
    return {name: count / cohorts for name, count in sorted(held.items())}


def monte_carlo_error(cohorts: int) -> float:
    """Standard error of a simulated coverage that is 95 %."""
    return (0.95 * 0.05 / cohorts) ** 0.5


def test_analytic_intervals_cover() -> None:
    """In 100 cohorts every interval covers 95 %, within three Monte Carlo errors of 93 to 97 %."""
    found = coverage(lambda cohort, _: analytic(cohort), 100, seed=1)
    slack = 3 * monte_carlo_error(100)

    outside = {name: share for name, share in found.items() if not share >= 0.93 - slack}
    assert outside == {}
    assert sum(found.values()) / len(found) == pytest.approx(0.95, abs=slack)


def test_bootstrap_intervals_cover() -> None:
    """The same of percentiles, in 30 cohorts."""
    found = coverage(lambda cohort, seed: resampled(cohort, 100, seed), 30, seed=2)
    slack = 3 * monte_carlo_error(30)

    outside = {name: share for name, share in found.items() if not share >= 0.93 - slack}
    assert outside == {}
    assert sum(found.values()) / len(found) == pytest.approx(0.95, abs=slack)


def report(found: dict[str, float], cohorts: int) -> dict[str, float]:
    """Print every coverage, and return those outside 93 to 97 % by two Monte Carlo errors."""
    slack = 2 * monte_carlo_error(cohorts)
    print(f"\n{cohorts} cohorts, Monte Carlo error {monte_carlo_error(cohorts):.4f}")
    for name, share in found.items():
        print(f"{name}: {share:.3f}")
    return {
        name: share for name, share in found.items() if not 0.93 - slack <= share <= 0.97 + slack
    }


@pytest.mark.slow
def test_analytic_intervals_in_a_thousand_cohorts() -> None:
    """Between 93 and 97 %, to two Monte Carlo errors (1.4 points)."""
    found = coverage(lambda cohort, _: analytic(cohort), 1000, seed=3)

    assert report(found, 1000) == {}


@pytest.mark.slow
def test_bootstrap_intervals_in_a_thousand_cohorts() -> None:
    """The same of percentiles of 400 replicates."""
    found = coverage(lambda cohort, seed: resampled(cohort, 400, seed), 1000, seed=4)

    assert report(found, 1000) == {}
