"""Each test finds a difference that is none in 5% of data sets, within Monte Carlo error.

Small simulations run always, with bounds that a right test misses once in a thousand runs; ten
times as many data sets run among the slow tests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import torch
from scipy.special import bdtrik

from survkit.comparison.bootstrap_difference import bootstrap_difference
from survkit.comparison.corrected_resampled import CorrectedTest, corrected_resampled_t
from survkit.comparison.exchange_ranks import scaled_ranks
from survkit.comparison.holm import holm
from survkit.comparison.non_inferiority import NonInferiority, non_inferiority
from survkit.comparison.permutation import sign_flip_test, swap_shares
from survkit.comparison.wilcoxon import WilcoxonTest, wilcoxon_signed_rank
from survkit.flow import SurvivalTarget
from survkit.metrics.bootstrap import Bootstrap, bootstrap_replicates
from survkit.metrics.estimate import Estimate
from survkit.metrics.harrell import harrell_statistic
from survkit.metrics.pair_statistic import PairStatistic

SUBJECTS = 100
LEVEL = 0.05
FEW_AND_MANY = [300, pytest.param(4000, marks=pytest.mark.slow)]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small kernels are fastest on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def models(
    random: np.random.Generator, *, noise: tuple[float, ...] = (1.0, 1.0), exchange: str = "ranks"
) -> list[PairStatistic]:
    """Concordances of models that see the truth through noise, half of it shared.

    Every other model speaks in another scale: a probability, where its neighbour gives a log
    hazard. About a third of the subjects are censored.
    """
    truth = random.normal(size=SUBJECTS)
    shared = random.normal(size=SUBJECTS)
    times = random.exponential(np.exp(-truth))
    censored = random.exponential(2, SUBJECTS)
    target = SurvivalTarget(
        torch.from_numpy(np.minimum(times, censored)),
        torch.from_numpy((times <= censored).astype(np.int64)),
    )
    found = []
    for number, size in enumerate(noise):
        own = random.normal(size=SUBJECTS)
        score = truth + size * (shared + own) / np.sqrt(2)
        score = 1 / (1 + np.exp(-2 * score)) if number % 2 else score
        exchanged = scaled_ranks(score[:, None])[:, 0] if exchange == "ranks" else score
        found.append(harrell_statistic(torch.from_numpy(exchanged.copy()), target))
    return found


def rejections(rejects: Callable[[np.random.Generator, int], bool], runs: int) -> int:
    return sum(rejects(np.random.default_rng([number, runs]), number) for number in range(runs))


def most(share: float, runs: int, level: float = LEVEL) -> float:
    """Number of rejections that a test of exactly this level exceeds in 1 - share of cases."""
    return float(np.ceil(bdtrik(share, runs, level)))


def within_monte_carlo_error(found: int, runs: int) -> bool:
    """Whether a test of exactly the nominal level gives such a count in 998 of 1,000 cases."""
    return most(0.001, runs) <= found <= most(0.999, runs)


def permutation_p(pair: list[PairStatistic], seed: int) -> float:
    shares = swap_shares(pair[0], pair[1])
    assert isinstance(shares, torch.Tensor)
    return sign_flip_test(shares, permutations=999, seed=seed).p_value


@pytest.mark.parametrize("runs", FEW_AND_MANY)
def test_permutation(runs: int) -> None:
    """Two equally good models, one in probabilities and one in log hazards."""
    found = rejections(lambda random, seed: permutation_p(models(random), seed) <= LEVEL, runs)

    assert within_monte_carlo_error(found, runs)


def test_values_of_other_scales_make_the_permutation_test_blind() -> None:
    """Why ranks are exchanged: with the numbers themselves it hardly ever rejects anything."""
    runs = 300
    found = rejections(
        lambda random, seed: permutation_p(models(random, exchange="values"), seed) <= LEVEL, runs
    )

    assert found < most(0.01, runs)


@pytest.mark.parametrize("runs", FEW_AND_MANY)
def test_paired_bootstrap(runs: int) -> None:
    """The 95% interval of no difference leaves out zero in 5% of data sets."""

    def rejects(random: np.random.Generator, seed: int) -> bool:
        pair = models(random)
        bootstrap = Bootstrap(replicates=400, seed=seed)
        found = bootstrap_difference(pair[0], pair[1], bootstrap)
        assert isinstance(found, Estimate)
        assert found.interval is not None
        return not found.interval.lower <= 0 <= found.interval.upper

    assert within_monte_carlo_error(rejections(rejects, runs), runs)


@pytest.mark.parametrize("runs", FEW_AND_MANY)
def test_non_inferiority_at_the_margin(runs: int) -> None:
    """A model that is worse by exactly the margin is taken for not inferior in 5%, one-sided.

    The margin is the mean difference over the simulated data sets themselves.
    """
    gains, replicates = [], []
    for number in range(runs):
        pair = models(np.random.default_rng([number, runs]), noise=(1.6, 1.0))
        values = [each.estimate() for each in pair]
        gains.append(values[0].value - values[1].value)  # type: ignore[union-attr]
        drawn = [
            bootstrap_replicates(each, Bootstrap(replicates=400, seed=number)) for each in pair
        ]
        replicates.append(drawn[0] - drawn[1])
    margin = -float(np.mean(gains))
    shown = 0
    for gain, between in zip(gains, replicates, strict=True):
        found = non_inferiority(gain, between, margin=margin, level=1 - LEVEL)
        assert isinstance(found, NonInferiority)
        shown += found.shown

    assert margin > 0.02
    assert within_monte_carlo_error(shown, runs)


@pytest.mark.parametrize("runs", [2000, pytest.param(40_000, marks=pytest.mark.slow)])
def test_corrected_t(runs: int) -> None:
    """Folds whose differences correlate as overlapping training sets make them; plain t fails.

    Ten repeats of five folds: the correlation is 1/5, the ratio 1/4.
    """

    def differences(random: np.random.Generator) -> list[float]:
        shared, own = random.normal(), random.normal(size=50)
        values: list[float] = (np.sqrt(0.2) * shared + np.sqrt(0.8) * own).tolist()
        return values

    def rejects(random: np.random.Generator, _: int) -> bool:
        found = corrected_resampled_t(differences(random), test_over_train=0.25)
        assert isinstance(found, CorrectedTest)
        return found.p_value <= LEVEL

    def plain_rejects(random: np.random.Generator, _: int) -> bool:
        found = corrected_resampled_t(differences(random), test_over_train=1e-12)
        assert isinstance(found, CorrectedTest)
        return found.p_value <= LEVEL

    assert within_monte_carlo_error(rejections(rejects, runs), runs)
    assert rejections(plain_rejects, 300) > 100


@pytest.mark.parametrize("runs", [2000, pytest.param(20_000, marks=pytest.mark.slow)])
def test_wilcoxon(runs: int) -> None:
    """Ten repeats without a difference: the exact test rejects in 5% of them at most.

    Its p-values are multiples of 2^-9; the largest that is at most .05 is .0488.
    """

    def rejects(random: np.random.Generator, _: int) -> bool:
        found = wilcoxon_signed_rank(random.standard_t(3, size=10).tolist())
        assert isinstance(found, WilcoxonTest)
        return found.p_value <= LEVEL

    level = 25 / 512
    assert most(0.001, runs, level) <= rejections(rejects, runs) <= most(0.999, runs, level)


@pytest.mark.parametrize("runs", FEW_AND_MANY)
def test_holm_over_all_pairs_of_models(runs: int) -> None:
    """Four equally good models, six pairs: any false finding in 5% at most, unadjusted in more."""
    any_raw = any_adjusted = 0
    for number in range(runs):
        found = models(np.random.default_rng([number, runs]), noise=(1.0,) * 4)
        raw = [
            permutation_p([found[one], found[other]], number)
            for one in range(4)
            for other in range(one + 1, 4)
        ]
        any_raw += min(raw) <= LEVEL
        any_adjusted += min(holm(raw)) <= LEVEL

    assert any_adjusted <= most(0.999, runs)
    assert any_raw > most(0.999, runs)
