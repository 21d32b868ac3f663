"""Tables of predictions whose truth is drawn, and what is asked of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from survkit.evaluation.evaluation import Evaluation
from survkit.evaluation.predictions import Predictions
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Estimate

HARRELL_ALL = "harrell_concordance_all_pairs"
INTEGRATED = "integrated_brier_score"


def simulated(n: int = 120, *, causes: int = 1, folds: int = 3, seed: int = 0) -> Predictions:
    """Exponential causes with known rates, uniform censoring; the prediction is the truth."""
    random = np.random.default_rng(seed)
    rate = 0.002 * np.exp(random.normal(0, 0.8, (n, causes)))
    times = random.exponential(1 / rate)
    censored = random.uniform(100, 1500, n)
    duration = np.minimum(times.min(axis=1), censored)
    event = np.where(times.min(axis=1) <= censored, times.argmin(axis=1) + 1, 0)
    grid = np.linspace(60, 600, 10)
    total = rate.sum(axis=1)[:, None, None]
    incidence = rate[:, :, None] / total * (1 - np.exp(-total * grid))
    return Predictions(
        subject=np.array([f"s{number:03d}" for number in range(n)]),
        repeat=np.zeros(n, dtype=np.int64),
        fold=np.arange(n) % folds,
        duration=duration,
        event=event.astype(np.int64),
        causes=("death", "relapse")[:causes],
        time_unit="days",
        horizon=600.0,
        time_grid=grid,
        cumulative_incidence=incidence,
        risk_score=np.log(rate),
        model="truth",
        splits_hash="0" * 8,
        seed=0,
        site=np.array(["north", "south"])[np.arange(n) % 2],
    )


def stratified(table: Predictions) -> Predictions:
    """Two strata whose scores must not be compared: those of the second lie far above."""
    strata = np.arange(len(table)) // 2 % 2
    return replace(table, strata=strata, risk_score=table.risk_score + 100.0 * strata[:, None])


def value(evaluation: Evaluation, name: str, cause: str = "death") -> float:
    pooled = evaluation.metric(name, cause).pooled
    assert isinstance(pooled, Estimate), pooled
    return pooled.value


def target(table: Predictions, rows: np.ndarray) -> SurvivalTarget:
    return table.target(rows)
