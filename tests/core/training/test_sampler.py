"""Risk sets follow from the seed, hold everybody once, and can be compared within."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from survkit.errors import ConfigError
from survkit.flow import SurvivalTarget
from survkit.training.comparable import FollowUp
from survkit.training.sampler import RiskSetSampler, micro_batches


def cohort(subjects: int, events: int, seed: int = 0) -> SurvivalTarget:
    random = np.random.default_rng(seed)
    event = np.zeros(subjects, dtype=np.int64)
    event[random.permutation(subjects)[:events]] = 1
    duration = random.exponential(size=subjects) + 0.01
    return SurvivalTarget(torch.from_numpy(duration), torch.from_numpy(event))


def sampler(target: SurvivalTarget, **settings: object) -> RiskSetSampler:
    chosen = {"risk_set": 8, "micro_batch": 3, "seed": (0,)} | settings
    rows = [100 + index for index in range(len(target.duration))]
    return RiskSetSampler(rows=rows, target=target, **chosen)


def has_pair(target: SurvivalTarget, rows: tuple[int, ...]) -> bool:
    """The definition, over all pairs, of rows that start at 100."""
    chosen = [row - 100 for row in rows]
    entry = target.entry if target.entry is not None else torch.full_like(target.duration, -1)
    strata = target.strata if target.strata is not None else torch.zeros_like(target.event)
    for i in chosen:
        for j in chosen:
            later = target.duration[j] > target.duration[i] or (
                target.duration[j] == target.duration[i] and target.event[j] == 0
            )
            at_risk = later and entry[j] < target.duration[i] and strata[i] == strata[j]
            if target.event[i] > 0 and i != j and at_risk:
                return True
    return False


@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("risk_set", [4, 8, "all"])
def test_every_subject_is_in_exactly_one_micro_batch(risk_set: int, ranks: int) -> None:
    """An epoch is a partition of the training subjects, in sets and micro-batches no larger than
    asked.
    """
    target = cohort(29, 12)

    plan = sampler(target, risk_set=risk_set, ranks=ranks).epoch(0)

    assert sorted(row for part in plan for row in part.rows) == list(range(100, 129))
    for part in plan:
        assert len(part.rows) <= (29 if risk_set == "all" else risk_set)
        assert min(part.counts) >= 1
        assert all(1 <= len(batch) <= 3 for batches in part.ranks for batch in batches)


def test_plan_follows_from_seed_and_epoch_alone() -> None:
    """Equal seeds give equal plans in any order of asking; epochs and seeds differ."""
    target = cohort(40, 15)

    assert sampler(target).epoch(5) == sampler(target).epoch(5)
    assert sampler(target).epoch(5) != sampler(target).epoch(6)
    assert sampler(target, seed=(1,)).epoch(5) != sampler(target).epoch(5)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("events", [3, 5, 12])
def test_as_many_sets_as_possible_have_a_comparable_pair(events: int, seed: int) -> None:
    """Every set has a pair, unless there are fewer events with anybody later than there are
    sets.
    """
    target = cohort(40, events, seed)
    last = target.duration.max()
    useful = int(((target.event > 0) & (target.duration < last)).sum())

    for epoch in range(10):
        parts = sampler(target).epoch(epoch)
        assert sum(has_pair(target, part.rows) for part in parts) == min(useful, len(parts))


def test_sets_trade_where_events_are_the_longest_durations() -> None:
    """All events but two outlive the censored, so sets must trade until each event has somebody
    later.
    """
    duration = torch.arange(1, 21, dtype=torch.float64)
    event = (duration > 14).long()
    target = SurvivalTarget(duration, event)

    for epoch in range(30):
        parts = sampler(target, risk_set=7).epoch(epoch)
        assert all(has_pair(target, part.rows) for part in parts)


def test_strata_and_entry_decide_who_is_comparable() -> None:
    """A pair across strata, or one that entered later, teaches nothing."""
    duration = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    event = torch.tensor([1, 0, 0])
    apart = SurvivalTarget(duration, event, strata=torch.tensor([0, 1, 1]))
    late = SurvivalTarget(duration, event, entry=torch.tensor([0.0, 1.5, 1.0]).double())
    rows = np.arange(3)

    assert not FollowUp.of(apart).has_pair(rows)
    assert not FollowUp.of(late).has_pair(rows)
    assert FollowUp.of(SurvivalTarget(duration, event)).has_pair(rows)


def test_more_sets_than_events_are_ordinary() -> None:
    """Where there are not enough events some sets have none, and nobody is lost."""
    plan = sampler(cohort(40, 2), risk_set=4).epoch(0)

    assert len(plan) == 10
    assert sum(len(part.rows) for part in plan) == 40


def test_sizes_are_balanced() -> None:
    """65 subjects in sets of 64 are 33 and 32, not 64 and a lonely one; so are micro-batches."""
    plan = sampler(cohort(65, 30), risk_set=64, micro_batch=16).epoch(0)

    assert sorted(len(part.rows) for part in plan) == [32, 33]
    assert [len(part) for part in micro_batches(range(13), 4)] == [4, 3, 3, 3]


def test_impossible_sharing_is_refused() -> None:
    """Too many devices for the subjects or the risk set is an error with its cure."""
    with pytest.raises(ConfigError, match="3 devices cannot share 2 training subjects"):
        sampler(cohort(2, 1), ranks=3)
    with pytest.raises(ConfigError, match=r"training\.risk_set to 4 or more"):
        sampler(cohort(9, 4), risk_set=2, ranks=4)
