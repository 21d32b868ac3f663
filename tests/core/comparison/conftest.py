"""What the tests of comparisons share: three models of one cohort, better and worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from survkit.evaluation.predictions import Predictions, concatenate
from survkit.metrics.estimate import Estimate

FAST: dict[str, Any] = {"permutations": 200, "replicates": 50}


def cohort(n: int = 90, *, noise: float, seed: int = 0, repeats: int = 2) -> Predictions:
    """Two exponential causes with known rates; the model sees them through noise.

    Outcomes and folds depend on nothing but the number of subjects.
    """
    truth = np.random.default_rng(0)
    rate = 0.002 * np.exp(truth.normal(0, 0.9, (n, 2)))
    times = truth.exponential(1 / rate)
    censored = truth.uniform(100, 1500, n)
    duration = np.minimum(times.min(axis=1), censored)
    event = np.where(times.min(axis=1) <= censored, times.argmin(axis=1) + 1, 0)
    random = np.random.default_rng(seed + 1)
    parts = []
    for repeat in range(repeats):
        seen = rate * np.exp(random.normal(0, noise, (n, 2)))
        total = seen.sum(axis=1)[:, None, None]
        grid = np.linspace(60, 600, 10)
        parts.append(
            Predictions(
                subject=np.array([f"s{number:03d}" for number in range(n)]),
                repeat=np.full(n, repeat),
                fold=(np.arange(n) + repeat * (np.arange(n) // 3)) % 3,
                duration=duration,
                event=event.astype(np.int64),
                causes=("death", "relapse"),
                time_unit="days",
                horizon=600.0,
                time_grid=grid,
                cumulative_incidence=seen[:, :, None] / total * (1 - np.exp(-total * grid)),
                risk_score=np.log(seen),
                model="noisy",
                splits_hash="feed",
                seed=seed,
                site=np.array(["north", "south", "west"])[np.arange(n) % 3],
            )
        )
    return concatenate(parts)


@pytest.fixture(scope="module")
def models() -> dict[str, Predictions]:
    return {name: cohort(noise=noise, seed=seed) for name, noise, seed in (
        ("good", 0.2, 1), ("poor", 2.5, 2), ("worse", 3.0, 3),
    )}  # fmt: skip


def estimate(found: object) -> Estimate:
    assert isinstance(found, Estimate), found
    return found
