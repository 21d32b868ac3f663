"""What the paper's batch of 2 leaves of its ranking term, and what a risk set of 32 restores."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from survkit.flow import SurvivalTarget
from survkit.training.comparable import FollowUp
from survkit.training.sampler import RiskSetSampler

TRAINING = 312
"""Of 488 subjects, four of five folds without a fifth for validation."""
EVENTS = 0.2
"""Assumed share of subjects with an event."""


def target(seed: int) -> SurvivalTarget:
    """Return a training part in which one subject in five has an event before it is censored."""
    random = np.random.default_rng(seed)
    event = random.exponential(1.0, TRAINING)
    censoring = random.exponential(EVENTS / (1 - EVENTS), TRAINING)
    return SurvivalTarget(
        duration=torch.from_numpy(np.minimum(event, censoring)),
        event=torch.from_numpy((event <= censoring).astype(np.int64)),
    )


def comparable(follow_up: FollowUp, rows: np.ndarray) -> int:
    """Count pairs of which one has the event while the other is still at risk."""
    events = rows[follow_up.observed[rows]]
    return sum(int(follow_up.partners(int(event), rows).sum()) for event in events)


def steps(outcome: SurvivalTarget, risk_set: int) -> np.ndarray:
    """Return the comparable pairs of every step of two epochs, as the engine cuts them."""
    sampler = RiskSetSampler(
        rows=range(TRAINING), target=outcome, risk_set=risk_set, micro_batch=2, seed=(0, 0, 0)
    )
    follow_up = FollowUp.of(outcome)
    sets = [each for number in range(2) for each in sampler.epoch(number)]
    return np.array([comparable(follow_up, np.array(each.rows)) for each in sets])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_batch_of_2_hardly_ranks(seed: int) -> None:
    """Fewer than half a pair per step though events are dealt evenly, none in more than half of the
    steps; with 32 every step has dozens, and an epoch more than ten times as many in all.
    """
    outcome = target(seed)
    two, many = steps(outcome, 2), steps(outcome, 32)

    assert two.max() == 1
    assert two.mean() < 0.45
    assert (two == 0).mean() > 0.55
    assert many.min() > 30
    assert many.mean() > 80
    assert many.sum() > 10 * two.sum()


def test_shuffling_alone_halves_what_is_left() -> None:
    """Batches of 2 drawn without regard to events have a pair in one of five steps."""
    outcome = target(0)
    follow_up, random = FollowUp.of(outcome), np.random.default_rng(0)
    batches = [rows for _ in range(10) for rows in random.permutation(TRAINING).reshape(-1, 2)]
    found = np.mean([comparable(follow_up, rows) for rows in batches])

    assert 0.15 < found < 0.23
    assert found < 0.6 * steps(outcome, 2).mean()
