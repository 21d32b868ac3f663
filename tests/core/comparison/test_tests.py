"""Wilcoxon, corrected t, Holm, paired bootstrap, non-inferiority: against hand and references."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from scipy import special, stats

from survkit.comparison import wilcoxon
from survkit.comparison.bootstrap_difference import bootstrap_difference
from survkit.comparison.corrected_resampled import CorrectedTest, corrected_resampled_t
from survkit.comparison.holm import holm
from survkit.comparison.non_inferiority import NonInferiority, non_inferiority
from survkit.comparison.wilcoxon import WilcoxonTest, wilcoxon_signed_rank
from survkit.errors import ConfigError, DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.bootstrap import Bootstrap
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.harrell import harrell_concordance, harrell_statistic


def ranked(differences: list[float]) -> WilcoxonTest:
    found = wilcoxon_signed_rank(differences)
    assert isinstance(found, WilcoxonTest)
    return found


def test_wilcoxon_gives_the_slice_papers_values() -> None:
    """Six repeats that all favour one model: W = 0, p = .03125, r = .899 (Paolo and others)."""
    found = ranked([0.05, 0.07, 0.09, 0.076, 0.08, 0.06])

    assert (found.statistic, found.p_value, found.smallest_p) == (0.0, 0.03125, 0.03125)
    assert round(found.effect_size, 3) == 0.899
    assert found.effect_size == pytest.approx(10.5 / sqrt(22.75) / sqrt(6))


@pytest.mark.parametrize("size", [1, 2, 5, 9, 20, 45])
def test_wilcoxon_equals_scipys_exact_test(size: int) -> None:
    """Without ties the exact distribution is the tabulated one."""
    random = np.random.default_rng(size)
    for _ in range(5):
        values = random.normal(0.3, 1, size)
        found = ranked(values.tolist())
        expected = stats.wilcoxon(values, mode="exact")

        assert found.statistic == expected.statistic
        assert found.p_value == pytest.approx(expected.pvalue, rel=1e-12)


def test_wilcoxon_with_ties_enumerates_the_ranks_as_they_are() -> None:
    """All 2^n signs of the mean ranks, counted plainly."""
    values = np.array([1.0, 1, 1, -2, 2, -3, 4, 4])
    ranks = stats.rankdata(np.abs(values))
    signs = (np.arange(256)[:, None] >> np.arange(8)) & 1
    sums = signs @ ranks
    smaller = min(ranks[values > 0].sum(), ranks[values < 0].sum())
    found = ranked(values.tolist())

    assert found.statistic == smaller
    assert found.p_value == pytest.approx(min(1, 2 * np.mean(sums <= smaller)), rel=1e-12)


def test_wilcoxon_of_many_differences_is_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound the approximation takes over, and agrees with scipy's."""
    values = np.round(np.random.default_rng(0).normal(0.1, 1, 300), 1)
    found = ranked(values.tolist())
    expected = stats.wilcoxon(values, mode="approx", correction=False)
    monkeypatch.setattr(wilcoxon, "MOST_EXACT", 400)
    exact = ranked(values.tolist())

    assert found.method == "normal approximation"
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert exact.p_value == pytest.approx(found.p_value, rel=0.02)


def test_wilcoxon_leaves_out_zeros_and_says_when_nothing_is_left() -> None:
    """A zero has no sign."""
    undefined = wilcoxon_signed_rank([0.0, 0.0])

    assert ranked([0.0, 1.0, 2.0, -0.5]).n == 3
    assert isinstance(undefined, Undefined)
    with pytest.raises(DataError, match="number 1 is nan"):
        wilcoxon_signed_rank([0.1, float("nan")])


def test_corrected_t_equals_the_hand_computed_case() -> None:
    """Differences 1, 2, 3, 6 of four folds: mean 3, S² = 14/3, factor 1/4 + 1/3."""
    found = corrected_resampled_t([1.0, 2.0, 3.0, 6.0], test_over_train=1 / 3)
    assert isinstance(found, CorrectedTest)
    error = sqrt(14 / 3 * (1 / 4 + 1 / 3))

    assert found.difference == 3.0
    assert found.standard_error == pytest.approx(error, rel=1e-14)
    assert found.statistic == pytest.approx(3 / error, rel=1e-14)
    assert found.degrees_of_freedom == 3
    assert found.p_value == pytest.approx(2 * special.stdtr(3, -3 / error), rel=1e-12)


def test_corrected_t_without_spread_is_undefined_and_nonsense_refused() -> None:
    """No variance is no certainty."""
    for values in ([0.1], [0.1, 0.1, 0.1]):
        assert isinstance(corrected_resampled_t(values, test_over_train=0.25), Undefined)
    with pytest.raises(DataError, match="test_over_train must be a positive number"):
        corrected_resampled_t([0.1, 0.2], test_over_train=0.0)
    with pytest.raises(DataError, match="differences must be finite, but number 0 is inf"):
        corrected_resampled_t([float("inf"), 0.2], test_over_train=0.25)


def test_holm_equals_the_hand_computed_case() -> None:
    """.01·4, then .02·3, then .03·2 held at .06, then .04·1 held; in the order given."""
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []
    with pytest.raises(DataError, match=r"p-values lie between 0 and 1, but number 1 is 1\.2"):
        holm([0.1, 1.2])


def test_paired_bootstrap_equals_a_loop_over_resamples() -> None:
    """The same draws for both models, each resample scored as repeated subjects."""
    random = np.random.default_rng(0)
    n = 50
    target = SurvivalTarget(
        torch.from_numpy(random.exponential(1, n)), torch.from_numpy(random.integers(0, 2, n))
    )
    first, second = (torch.from_numpy(random.normal(size=n)) for _ in range(2))
    bootstrap = Bootstrap(replicates=40, seed=3)
    found = bootstrap_difference(
        harrell_statistic(first, target), harrell_statistic(second, target), bootstrap
    )
    generator = torch.Generator().manual_seed(3)
    drawn = torch.randint(n, (40, n), generator=generator)
    looped = []
    for rows in drawn:
        again = SurvivalTarget(target.duration[rows], target.event[rows])
        pair = [harrell_concordance(score[rows], again) for score in (first, second)]
        looped.append(pair[0].value - pair[1].value)  # type: ignore[union-attr]
    assert isinstance(found, Estimate)
    assert found.interval is not None

    expected = np.quantile(looped, [0.025, 0.975])
    assert [found.interval.lower, found.interval.upper] == pytest.approx(expected, abs=1e-12)


def test_paired_bootstrap_of_a_model_with_itself_is_zero() -> None:
    """Shared draws cancel: the interval is a point."""
    target = SurvivalTarget(torch.arange(1.0, 31.0), torch.arange(30) % 2)
    same = harrell_statistic(torch.randn(30, generator=torch.Generator().manual_seed(0)), target)
    found = bootstrap_difference(same, same, Bootstrap(replicates=20))

    assert isinstance(found, Estimate)
    assert found.value == 0
    assert found.interval is not None
    assert (found.interval.lower, found.interval.upper) == (0, 0)


def test_paired_bootstrap_refuses_different_numbers_of_subjects() -> None:
    """Nothing is paired there."""
    pair = [
        harrell_statistic(
            torch.zeros(n), SurvivalTarget(torch.ones(n), torch.ones(n, dtype=torch.int64))
        )
        for n in (3, 4)
    ]
    with pytest.raises(DataError, match="the same subjects for both models, not 3 and 4"):
        bootstrap_difference(pair[0], pair[1], Bootstrap())


def test_non_inferiority_is_the_lower_bound_against_the_margin() -> None:
    """Bound and p-value agree with the quantile and the count of the replicates."""
    replicates = torch.linspace(-0.03, 0.07, 1001, dtype=torch.float64)
    found = non_inferiority(0.02, replicates, margin=0.03, level=0.975)
    tight = non_inferiority(0.02, replicates, margin=0.02, level=0.975)
    assert isinstance(found, NonInferiority)
    assert isinstance(tight, NonInferiority)

    assert found.bound == pytest.approx(-0.0275, abs=1e-12)
    assert found.shown
    assert not tight.shown
    assert found.p_value == pytest.approx(2 / 1002)
    assert tight.p_value == pytest.approx(102 / 1002, abs=1e-3)


def test_non_inferiority_refuses_a_margin_that_is_none() -> None:
    """A margin is stated beforehand and is positive."""
    with pytest.raises(ConfigError, match="margin must be a positive number, not 0"):
        non_inferiority(0.1, torch.zeros(5), margin=0)
    with pytest.raises(ConfigError, match="level must lie between 0 and 1"):
        non_inferiority(0.1, torch.zeros(5), margin=0.1, level=95)
    assert isinstance(non_inferiority(0.1, torch.full((5,), torch.nan), margin=0.1), Undefined)
