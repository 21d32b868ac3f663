"""The best is chosen inside the folds, and what it predicts outside is measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from survkit.data import Fold, Splits
from survkit.errors import RunError
from survkit.evaluation import Predictions
from survkit.evaluation.metric_names import HARRELL
from survkit.tournaments.choose_best import choose, evaluate_chosen

SUBJECTS = 12
NAMES = tuple(f"s{k}" for k in range(SUBJECTS))
SPLITS = Splits(
    "toy",
    {},
    (
        Fold(0, 0, NAMES[8:], NAMES[6:8], NAMES[:6]),
        Fold(0, 1, NAMES[2:6], NAMES[:2], NAMES[6:]),
    ),
)


def table(fold: int, score: np.ndarray) -> Predictions:
    """Return a fold's predictions; everybody has the event, the first first."""
    rows = range(6 * fold, 6 * fold + 6)
    return Predictions(
        subject=np.array([NAMES[row] for row in rows]),
        repeat=np.zeros(6, dtype=np.int64),
        fold=np.full(6, fold, dtype=np.int64),
        duration=np.arange(1.0, 7.0),
        event=np.ones(6, dtype=np.int64),
        causes=("death",),
        time_unit="days",
        horizon=6.0,
        time_grid=np.array([6.0]),
        cumulative_incidence=None,
        risk_score=score[:, None],
        model="of a test",
        splits_hash=SPLITS.sha256,
        seed=0,
    )


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A tournament in which ``right`` orders all test subjects and ``wrong`` none."""
    falling = np.arange(6.0, 0.0, -1.0)
    for name, score in (("right", falling), ("wrong", -falling)):
        for fold in (0, 1):
            home = tmp_path / name / f"fold-{fold}"
            home.mkdir(parents=True)
            replace(table(fold, score), model=name).write(home / "predictions.parquet")
    return tmp_path


def test_the_test_subjects_choose_nothing(place: Path) -> None:
    """Who is perfect for the test subjects, but worse inside, is not chosen: concordance 0."""
    scores = {
        "right": {"fold-0": {"score": 0.6}, "fold-1": {"score": 0.6}},
        "wrong": {"fold-0": {"score": 0.7}, "fold-1": {"score": 0.7}},
    }

    choices = choose(scores, ["fold-0", "fold-1"])
    found = evaluate_chosen(choices, SPLITS, place, replicates=0)

    assert [choice["chosen"] for choice in choices.values()] == ["wrong", "wrong"]
    assert found.metric(HARRELL).pooled.value == 0.0  # type: ignore[union-attr]


def test_each_fold_has_its_own_choice(place: Path) -> None:
    """One fold right, one wrong: half of the pairs; ties go to the first, who diverged is last."""
    scores = {
        "right": {"fold-0": {"score": 0.7}, "fold-1": {"score": None}},
        "wrong": {"fold-0": {"score": 0.7}, "fold-1": {"score": 0.1}},
    }

    choices = choose(scores, ["fold-0", "fold-1"])
    found = evaluate_chosen(choices, SPLITS, place, replicates=0)

    assert [choice["chosen"] for choice in choices.values()] == ["right", "wrong"]
    assert found.metric(HARRELL).pooled.value == 0.5  # type: ignore[union-attr]
    written = Predictions.read(place / "chosen" / "predictions.parquet")
    assert written.model == "chosen"
    assert written.risk_score[:, 0].tolist() == [6, 5, 4, 3, 2, 1, -6, -5, -4, -3, -2, -1]
    numbers = json.loads((place / "chosen/metrics.json").read_text())
    assert numbers["causes"]["death"]["metrics"][HARRELL]["pooled"]["value"] == 0.5


def test_nobody_to_choose_is_said() -> None:
    """A fold in which every composition diverged has no choice."""
    with pytest.raises(RunError, match="fold-0: every composition diverged"):
        choose({"a": {"fold-0": {"score": None}}}, ["fold-0"])
