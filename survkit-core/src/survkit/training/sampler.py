"""Which subjects make a risk set, in which micro-batches, on which rank.

Everything follows from the seed and the number of the epoch, so that every rank computes the same
plan without talking to the others, and a resumed run continues with the plan of the uninterrupted
one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from survkit.errors import ConfigError
from survkit.flow import SurvivalTarget
from survkit.training.comparable import FollowUp

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class RiskSet:
    """The subjects of one loss evaluation.

    Attributes:
        ranks: For each rank its micro-batches, each the positions of its subjects in the cohort.
    """

    ranks: tuple[tuple[tuple[int, ...], ...], ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of subjects on each rank."""
        return tuple(sum(len(batch) for batch in batches) for batches in self.ranks)

    @property
    def rows(self) -> tuple[int, ...]:
        """All subjects, in the order in which the ranks' outputs are joined."""
        return tuple(row for batches in self.ranks for batch in batches for row in batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskSetSampler:
    """Cuts the training subjects into risk sets anew in every epoch.

    Events are dealt evenly over the sets, and a set without a comparable pair trades subjects with
    others until it has one, where the data allow it.

    Attributes:
        rows: Positions of the training subjects in the cohort.
        target: Their outcomes, in the same order.
        risk_set: Largest number of subjects of a set; ``"all"`` for one set of everybody.
        micro_batch: Largest number of subjects in memory at once.
        seed: Numbers that together seed the plan.
        ranks: Number of processes that share each set.
    """

    rows: Sequence[int]
    target: SurvivalTarget
    risk_set: int | Literal["all"]
    micro_batch: int
    seed: tuple[int, ...]
    ranks: int = 1

    def __post_init__(self) -> None:
        if len(self.rows) < self.ranks:
            raise ConfigError(
                f"{self.ranks} devices cannot share {len(self.rows)} training subjects; "
                "set training.devices lower"
            )
        if self.risk_set != "all" and self.risk_set < self.ranks:
            raise ConfigError(
                f"a risk set of {self.risk_set} subjects cannot be shared by {self.ranks} devices; "
                f"set training.risk_set to {self.ranks} or more"
            )

    @property
    def sets(self) -> int:
        """Number of risk sets in an epoch."""
        subjects = len(self.rows)
        if self.risk_set == "all":
            return 1
        return min(ceil(subjects / self.risk_set), subjects // self.ranks)

    def epoch(self, number: int) -> list[RiskSet]:
        """Return the risk sets of an epoch; every training subject is in exactly one.

        Sizes differ by one at most, so that there is no last set of two or three subjects.
        """
        random = np.random.default_rng([*self.seed, number])
        follow_up = FollowUp.of(self.target)
        sets = _deal(follow_up.observed, self.sets, random)
        if len(sets) > 1:
            _trade_until_comparable(sets, follow_up, random)
        rows = np.asarray(self.rows, dtype=np.int64)
        return [self._spread(rows[random.permutation(positions)]) for positions in sets]

    def _spread(self, rows: Rows) -> RiskSet:
        shares = np.array_split(rows, self.ranks)
        return RiskSet(tuple(micro_batches(share, self.micro_batch) for share in shares))


def micro_batches(rows: Sequence[int] | Rows, size: int) -> tuple[tuple[int, ...], ...]:
    """Cut rows into as few micro-batches as possible, of nearly equal size, in order."""
    parts = np.array_split(np.asarray(rows, dtype=np.int64), max(1, ceil(len(rows) / size)))
    return tuple(tuple(int(row) for row in part) for part in parts)


def _deal(observed: NDArray[np.bool_], sets: int, random: np.random.Generator) -> list[Rows]:
    """Deal shuffled events, then shuffled censored subjects, to the sets in turn."""
    shuffled = random.permutation(len(observed))
    dealt = np.concatenate([shuffled[observed[shuffled]], shuffled[~observed[shuffled]]])
    hands = [dealt[start::sets] for start in range(sets)]
    order = random.permutation(sets)  # else the first sets would always be the larger ones
    return [hands[index] for index in order]


def _trade_until_comparable(
    sets: list[Rows], follow_up: FollowUp, random: np.random.Generator
) -> None:
    """Swap subjects between sets, in place, until each has a comparable pair or no swap helps."""
    comparable = [follow_up.has_pair(rows) for rows in sets]
    for index, good in enumerate(comparable):
        if good:
            continue
        for donor in random.permutation(len(sets)):
            if donor != index and _trade(
                sets, index, int(donor), follow_up, keep=comparable[donor]
            ):
                comparable[index] = True
                break


def _trade(sets: list[Rows], index: int, donor: int, follow_up: FollowUp, *, keep: bool) -> bool:
    """Try single swaps that give a set a pair, and the donor keeps its own if it has one."""
    for own, other in _useful_swaps(sets[index], sets[donor], follow_up):
        taking, giving = sets[index].copy(), sets[donor].copy()
        taking[own], giving[other] = giving[other], taking[own]
        if follow_up.has_pair(taking) and (not keep or follow_up.has_pair(giving)):
            sets[index], sets[donor] = taking, giving
            return True
    return False


def _useful_swaps(rows: Rows, donor: Rows, follow_up: FollowUp) -> Iterator[tuple[int, int]]:
    """Yield (position here, position there) of swaps that could make ``rows`` comparable."""
    here = follow_up.observed[rows]
    for other, subject in enumerate(donor):
        observed = follow_up.observed[subject]
        brings_event = observed and follow_up.partners(subject, rows).any()
        outlives = any(
            follow_up.partners(event, donor[other : other + 1]).any() for event in rows[here]
        )
        if brings_event or outlives:
            same = np.flatnonzero(here == observed)[:2]  # first those that keep the share of events
            different = np.flatnonzero(here != observed)[:2]
            for own in (*same, *different):
                yield int(own), other
