"""The linear form of the paired swap test against the plain one, term by term."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.comparison.exchange_ranks import scaled_ranks
from survkit.comparison.permutation import (
    cluster_shares,
    permuted_differences,
    sign_flip_test,
    swap_shares,
)
from survkit.errors import DataError
from survkit.evaluation.predictions import Floats
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import antolini_concordance, antolini_statistic
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.harrell import harrell_concordance, harrell_statistic

GRID = 6


def outcome(n: int, random: np.random.Generator, kind: str) -> SurvivalTarget:
    """Whole-number durations, so that ties are many, with the extra that ``kind`` names."""
    duration = random.integers(1, n // 2, n).astype(float)
    target = SurvivalTarget(
        torch.from_numpy(duration), torch.from_numpy(random.integers(0, 3, n).astype(np.int64))
    )
    if kind == "weights":
        return replace(target, weight=torch.from_numpy(random.uniform(0.5, 2, n)))
    if kind == "strata":
        return replace(target, strata=torch.from_numpy(random.integers(0, 3, n)))
    if kind == "entry":
        return replace(target, entry=torch.from_numpy(duration * random.uniform(0, 0.9, n)))
    return target


def scores(n: int, random: np.random.Generator) -> Tensor:
    """Scores with many ties."""
    return torch.from_numpy(random.integers(0, 8, n) / 8.0)


def difference(first: object, second: object) -> float:
    assert isinstance(first, Estimate)
    assert isinstance(second, Estimate)
    return first.value - second.value


def signed_sum(shares: Tensor | Undefined, swapped: np.ndarray) -> float:
    assert isinstance(shares, Tensor)
    return float((shares * (1 - 2 * torch.from_numpy(swapped).double())).sum())


@pytest.mark.parametrize("kind", ["plain", "weights", "strata", "entry"])
def test_the_linear_form_equals_swapping_and_scoring_anew_for_harrell(kind: str) -> None:
    """For every random swap, to 1e-12: with ties, competing events, weights, strata, entry."""
    random = np.random.default_rng(1)
    n = 40
    target = outcome(n, random, kind)
    first, second = scores(n, random), scores(n, random)
    shares = swap_shares(harrell_statistic(first, target), harrell_statistic(second, target))

    for _ in range(50):
        swapped = random.random(n) < 0.5
        where = torch.from_numpy(swapped)
        plain = difference(
            harrell_concordance(torch.where(where, second, first), target),
            harrell_concordance(torch.where(where, first, second), target),
        )
        assert signed_sum(shares, swapped) == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("kind", ["plain", "weights", "strata", "entry"])
@pytest.mark.parametrize("tie_score", [0.0, 0.5])
def test_the_linear_form_equals_swapping_and_scoring_anew_for_antolini(
    kind: str, tie_score: float
) -> None:
    """Whole curves are swapped; ties count half, or nothing as in the slice paper's code."""
    random = np.random.default_rng(2)
    n = 40
    target = outcome(n, random, kind)
    column = torch.from_numpy(random.integers(0, GRID, n))
    first, second = (
        torch.from_numpy((random.integers(0, 3, (n, GRID)) / 20).cumsum(1)) for _ in range(2)
    )
    shares = swap_shares(
        antolini_statistic(first, column, target, tie_score=tie_score, tau=15.0),
        antolini_statistic(second, column, target, tie_score=tie_score, tau=15.0),
    )

    for _ in range(50):
        swapped = random.random(n) < 0.5
        where = torch.from_numpy(swapped)[:, None]
        plain = difference(
            *(
                antolini_concordance(
                    torch.where(where, one, other), column, target, tie_score=tie_score, tau=15.0
                )
                for one, other in ((second, first), (first, second))
            )
        )
        assert signed_sum(shares, swapped) == pytest.approx(plain, abs=1e-12)


def test_many_blocks_of_events_give_the_same_shares(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounded memory changes nothing."""
    random = np.random.default_rng(3)
    target = outcome(60, random, "plain")
    pair = [harrell_statistic(scores(60, random), target) for _ in range(2)]
    at_once = swap_shares(*pair)
    monkeypatch.setattr("survkit.metrics.pair_statistic.BLOCK_CELLS", 130)

    torch.testing.assert_close(swap_shares(*pair), at_once, rtol=0, atol=1e-15)


def test_every_arrangement_of_few_subjects_gives_the_exact_p_value() -> None:
    """With 2^10 arrangements the simulated p-value is the enumerated one, within its error."""
    shares = torch.tensor([5.0, -1, 2, 3, 0, 1, -2, 4, 1, 1]).double() / 64
    signs = 1 - 2 * ((np.arange(1024)[:, None] >> np.arange(10)) & 1)
    exact = np.mean(np.abs(signs @ shares.numpy()) >= float(shares.sum()))
    found = sign_flip_test(shares, permutations=200_000, seed=4)

    assert found.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact / 200_000))


def test_the_null_standard_deviation_is_that_of_the_permutations() -> None:
    """sqrt(sum share²), within the error of 100,000 permutations; their mean is 0."""
    shares = np.random.default_rng(5).normal(size=37)
    drawn = np.concatenate([*permuted_differences(shares, permutations=100_000, seed=0)])
    found = sign_flip_test(torch.from_numpy(shares))

    assert found.null_sd == pytest.approx(drawn.std(), rel=4 / np.sqrt(2 * 100_000))
    assert abs(drawn.mean()) < 4 * found.null_sd / np.sqrt(100_000)


def test_permutations_in_parts_are_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks bound the memory and add up to what was asked."""
    monkeypatch.setattr("survkit.comparison.permutation.CHUNK_CELLS", 50)
    parts = [*permuted_differences(np.ones(20), permutations=101, seed=0)]

    assert sum(len(part) for part in parts) == 101
    assert len(parts) > 1


def test_p_counts_the_observed_arrangement_and_is_never_zero() -> None:
    """(b + 1) / (B + 1): a difference that no permutation reaches has p = 1 / (B + 1)."""
    assert sign_flip_test(torch.ones(200), permutations=999).p_value == 1 / 1000


def test_equal_models_have_p_one() -> None:
    """No share, no difference, and every permutation is as large."""
    random = np.random.default_rng(6)
    target, score = outcome(30, random, "plain"), scores(30, random)
    shares = swap_shares(harrell_statistic(score, target), harrell_statistic(score, target))
    assert isinstance(shares, Tensor)
    found = sign_flip_test(shares)

    assert (found.difference, found.p_value, found.null_sd) == (0.0, 1.0, 0.0)


def test_swapping_one_subject_moves_the_difference_by_twice_its_share() -> None:
    """That is what a share says of a subject."""
    random = np.random.default_rng(7)
    target = outcome(25, random, "plain")
    first, second = scores(25, random), scores(25, random)
    shares = swap_shares(harrell_statistic(first, target), harrell_statistic(second, target))
    assert isinstance(shares, Tensor)
    mine, others = first.clone(), second.clone()
    mine[3], others[3] = second[3], first[3]
    before, after = (
        difference(harrell_concordance(a, target), harrell_concordance(b, target))
        for a, b in ((first, second), (mine, others))
    )

    assert before - after == pytest.approx(2 * float(shares[3]), abs=1e-12)


def test_clusters_are_swapped_as_one() -> None:
    """Their shares add up; the difference stays."""
    shares = torch.tensor([1.0, 2.0, 3.0, 4.0])
    found = cluster_shares(shares, torch.tensor([7, 2, 7, 2]))

    assert found.tolist() == [6.0, 4.0]
    assert sign_flip_test(found).units == 2


def test_ranks_leave_concordances_and_the_scale_behind() -> None:
    """Any increasing change of one model's scale changes neither value nor test."""
    random = np.random.default_rng(8)
    values = random.normal(size=(50, 1))
    groups = random.integers(0, 4, 50)
    moved: Floats = np.exp(3 * values) + 100.0 * groups[:, None]

    np.testing.assert_array_equal(scaled_ranks(values, groups), scaled_ranks(moved, groups))
    assert scaled_ranks(np.array([[3.0], [1.0], [3.0], [9.0]]))[:, 0].tolist() == [
        *(0.5, 0.125, 0.5, 0.875)
    ]


def test_without_events_there_is_no_share_but_a_reason() -> None:
    """Undefined, as the concordance itself."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0]), torch.tensor([0, 0]))
    one = harrell_statistic(torch.tensor([1.0, 2.0]), target)
    last = harrell_statistic(
        torch.tensor([1.0, 2.0]), SurvivalTarget(target.duration, torch.tensor([0, 1]))
    )

    for statistic, reason in ((one, "nobody has the event"), (last, "no comparable pair")):
        found = swap_shares(statistic, statistic)
        assert isinstance(found, Undefined)
        assert reason in found.reason


def test_different_questions_and_subjects_are_refused() -> None:
    """A difference of unlike things means nothing."""
    target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 1, 0]))
    later = replace(target, duration=target.duration + 1)
    score = torch.tensor([3.0, 2.0, 1.0])
    first = harrell_statistic(score, target)
    with pytest.raises(DataError, match="one and the same question"):
        swap_shares(first, harrell_statistic(score, target, cause=2))
    with pytest.raises(DataError, match="same subjects only, but time differs"):
        swap_shares(first, harrell_statistic(score, later))
    with pytest.raises(DataError, match="a subject and a permutation at least, not 3 and 0"):
        sign_flip_test(score, permutations=0)
