"""The paired permutation test of two models, in its exact linear form.

Under the null hypothesis it does not matter which of a subject's two predictions came from which
model, so they are swapped at random and the difference is computed anew. For a sum over pairs with
fixed weights the quadratic terms of the signs cancel: with W^{ab}_ij the credit of the pair (i, j)
when i is taken from model a and j from model b, M = W^{AA} - W^{BB} and N = W^{AB} - W^{BA}, the
difference after any swaps is

    D(signs) = sum_i sign_i * share_i,  share = (M·1 + Mᵀ·1 + N·1 - Nᵀ·1) / (2 · weight of pairs),

so a permutation is a sum of n signed numbers, the null distribution has mean 0 and standard
deviation sqrt(sum share²), and ``share`` says which subjects make the difference: they sum to it.
A Brier score is a sum over subjects, for which the same holds at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.errors import DataError
from survkit.metrics.estimate import Undefined
from survkit.metrics.pair_statistic import PairStatistic
from survkit.metrics.pairs import comparable_block, outcome_without_events
from survkit.nonparametric.observations import check_vector

ROUNDING = 1e-12
"""Permuted differences this close to the observed one, relative to sum |share|, equal it."""

CHUNK_CELLS = 2**22
"""Most cells of any (permutation, byte) matrix that is held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """What a paired permutation test found.

    Attributes:
        difference: First model minus second.
        p_value: Two-sided, (b + 1) / (B + 1): never 0.
        null_sd: Standard deviation of the difference under the null hypothesis, in closed form.
        permutations: Random swaps, B.
        units: What was swapped: subjects, or clusters of them.
    """

    difference: float
    p_value: float
    null_sd: float
    permutations: int
    units: int

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries, numbers and texts."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def swap_shares(first: PairStatistic, second: PairStatistic) -> Tensor | Undefined:
    """Return each subject's share of the difference of two concordances.

    Swapping the two predictions of subject i alone changes the difference by -2 share_i. Pairs
    weigh what they weigh in the concordance, whichever model is asked.

    Args:
        first: Of one model; see :func:`survkit.metrics.harrell_statistic` and
            :func:`survkit.metrics.antolini_statistic`.
        second: The same question asked of another model about the same subjects.

    Returns:
        float64 (batch), summing to the difference first - second; or Undefined without a pair.

    Raises:
        DataError: The two ask different questions or of different subjects.
    """
    _check_same_question(first, second)
    outcome = first.outcome
    undefined = outcome_without_events(outcome)
    if undefined is not None:
        return undefined
    # Credits and their sums are halves of whole numbers: exact in float32 without weights.
    exact = outcome.weight is None and outcome.n < 2**22
    kind = torch.float32 if exact else torch.float64
    weight = torch.ones_like(outcome.time) if outcome.weight is None else outcome.weight
    shares, total = torch.zeros_like(weight), weight.new_zeros(())
    factor = weight.to(kind)
    for (anchors, mine, own), (_, others, their) in zip(
        first.blocks(), second.blocks(), strict=True
    ):
        pairs = comparable_block(outcome, anchors).to(kind)

        def credit(earlier: Tensor, later: Tensor, pairs: Tensor = pairs) -> Tensor:
            return _credit(earlier - later, first).to(pairs.dtype) * pairs

        same = credit(own, mine) - credit(their, others)
        mixed = credit(own, others) - credit(their, mine)
        at = weight[anchors]
        shares += weight * ((same - mixed) @ factor[anchors]).double()
        shares.index_add_(0, anchors, at * (factor @ (same + mixed)).double())
        total += (factor @ pairs).double() @ at
    if float(total) <= 0:
        return Undefined(
            "no comparable pair: nobody is known to be event-free at the time of an event",
            outcome.n,
            outcome.events,
        )
    return shares / (2 * total)


def sign_flip_test(shares: Tensor, *, permutations: int = 5000, seed: int = 0) -> PermutationTest:
    """Test a difference that is a sum of shares whose signs a swap turns.

    Args:
        shares: What each subject (or cluster) adds to the difference; (unit).
        permutations: Random swaps, each unit with probability one half.
        seed: Same seed, same p-value.

    Raises:
        DataError: There is no share, or one is not finite, or no permutation is asked.

    Reference: Paolo and others (2026), who swap at the level of the patient; the count of the
        observed arrangement itself follows Phipson and Smyth (2010).

    >>> sign_flip_test(torch.tensor([0.25, 0.125]), permutations=99).difference
    0.375
    """
    values = check_vector("shares", shares).cpu().numpy()
    if not len(values) or permutations < 1:
        raise DataError(
            f"a permutation test needs a subject and a permutation at least, not {len(values)} "
            f"and {permutations}"
        )
    difference = float(values.sum())
    bound = abs(difference) - ROUNDING * float(np.abs(values).sum())
    at_least = sum(
        int(np.count_nonzero(np.abs(drawn) >= bound))
        for drawn in permuted_differences(values, permutations=permutations, seed=seed)
    )
    return PermutationTest(
        difference=difference,
        p_value=(at_least + 1) / (permutations + 1),
        null_sd=sqrt(float(values @ values)),
        permutations=permutations,
        units=len(values),
    )


def permuted_differences(
    shares: NDArray[np.float64], *, permutations: int, seed: int
) -> Iterator[NDArray[np.float64]]:
    """Give the differences after random swaps, in parts; (permutation).

    A random byte decides about eight units at once: the 256 sums that each group of eight can
    have are made beforehand, and a permutation only looks them up.
    """
    groups = np.concatenate([shares, np.zeros(-len(shares) % 8)]).reshape(-1, 8)
    patterns = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
    sums = (groups[:, None] * (1.0 - 2.0 * patterns)).sum(axis=2)
    generator = np.random.default_rng(seed)
    size = max(1, CHUNK_CELLS // len(groups))
    for done in range(0, permutations, size):
        rows = min(size, permutations - done)
        drawn = generator.integers(256, size=(len(groups), rows), dtype=np.uint8)
        differences = np.zeros(rows)
        for group, byte in zip(sums, drawn, strict=True):
            differences += group.take(byte)
        yield differences


def cluster_shares(shares: Tensor, clusters: Tensor) -> Tensor:
    """Add up the shares of each cluster, such as a site, whose subjects are then swapped together.

    Args:
        shares: (batch).
        clusters: The cluster of each subject; int (batch).
    """
    names, member = torch.unique(clusters, return_inverse=True)
    return shares.new_zeros(len(names)).index_add_(0, member, shares)


def _credit(difference: Tensor, question: PairStatistic) -> Tensor:
    """Credit of pairs by how much higher the prediction of the earlier event is."""
    if question.tie_score == 0.5 and question.tolerance == 0:
        return difference.sign_().add_(1).mul_(0.5)
    tied = difference.abs() <= question.tolerance
    return torch.where(tied, question.tie_score, (difference > 0).to(torch.float32))


def _check_same_question(first: PairStatistic, second: PairStatistic) -> None:
    asked = [
        (each.method, each.tie_score, each.tolerance, each.outcome.n) for each in (first, second)
    ]
    if asked[0] != asked[1]:
        raise DataError(
            f"two models can be compared in one and the same question, not in {asked[0][0]} of "
            f"{asked[0][3]} subjects and {asked[1][0]} of {asked[1][3]}"
        )
    for name in first.outcome.__dataclass_fields__:
        mine, others = getattr(first.outcome, name), getattr(second.outcome, name)
        if (mine is None) != (others is None) or (
            mine is not None and not torch.equal(mine, others)
        ):
            raise DataError(
                f"two models can be compared on the same subjects only, but {name} differs; give "
                "both the same target, in the same order"
            )
