"""Tables of predictions with a known truth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from survkit.evaluation.predictions import Predictions

MakeTable = Callable[..., Predictions]


def simulated_table(
    n: int = 90, *, causes: int = 1, folds: int = 3, seed: int = 0, **changes: Any
) -> Predictions:
    """Exponential causes with known rates; predictions err, and curves cross."""
    random = np.random.default_rng(seed)
    log_rate = random.normal(0, 0.8, (n, causes))
    rate = 0.002 * np.exp(log_rate)
    times = random.exponential(1 / rate)
    censored = random.uniform(100, 1500, n)
    grid = np.linspace(60, 600, 10)
    guess = 0.002 * np.exp(0.8 * log_rate + random.normal(0, 0.4, (n, causes)))
    shape = np.exp(random.normal(0, 0.15, n))[:, None]
    total = guess.sum(axis=1)[:, None]
    reached = 1 - np.exp(-total * 600 * (grid / 600) ** shape)
    columns: dict[str, Any] = {
        "subject": np.array([f"s{number:03d}" for number in range(n)]),
        "repeat": np.zeros(n, dtype=np.int64),
        "fold": np.arange(n) % folds,
        "duration": np.minimum(times.min(axis=1), censored),
        "event": np.where(times.min(axis=1) <= censored, times.argmin(axis=1) + 1, 0),
        "causes": ("death", "relapse")[:causes],
        "time_unit": "days",
        "horizon": 600.0,
        "time_grid": grid,
        "cumulative_incidence": (guess / total)[:, :, None] * reached[:, None, :],
        "risk_score": np.log(guess),
        "model": "guess",
        "splits_hash": "0" * 8,
        "seed": 0,
        "site": np.array(["east", "north", "south", "west"])[random.integers(4, size=n)],
    }
    return Predictions(**columns | changes)


@pytest.fixture
def make_table() -> MakeTable:
    """Return the maker of tables."""
    return simulated_table
