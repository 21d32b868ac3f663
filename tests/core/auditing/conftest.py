"""Studies whose protocol is clean, written as the files that people share, to be bent by tests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from survkit.auditing import Audit, Inputs, audit_inputs
from survkit.data.splits import Fold, Splits

TIMES = (100.0, 200.0, 300.0, 400.0, 500.0)
SHAPE, SCALE = 1.2, 600.0
EFFECT = np.array([0.6, -0.4, 0.3])


class Study:
    """Subjects with proportional hazards, folds, features and the predictions of honest models.

    A fold's model has the true effects with an error of its own, as if estimated from other
    subjects; its curves are those of the true baseline.
    """

    def __init__(
        self,
        folder: Path,
        *,
        subjects: int = 300,
        folds: int = 5,
        repeats: int = 1,
        causes: int = 1,
        sites: int = 0,
        series: int = 1,
        seed: int = 0,
    ) -> None:
        self.folder = folder
        self.random = np.random.default_rng(seed)
        self.features = self._features(subjects)
        values = self.features[["age", "marker", "volume"]].to_numpy()
        scaled = (values - values.mean(axis=0)) / values.std(axis=0)
        self.effect = scaled @ EFFECT
        self.outcome = self._outcome(scaled, causes)
        if sites:
            self.outcome["site"] = [f"site{k % sites}" for k in self.random.permutation(subjects)]
        self.splits = self._splits(folds, repeats, by_site=bool(sites))
        rows = [self._predicted(fold, scaled, causes) for fold in self.splits]
        self.table = pd.concat(rows, ignore_index=True)
        if series > 1:
            self.table = self._series(series)
        self.metrics: dict[str, Any] | None = None

    @property
    def names(self) -> list[str]:
        return list(self.outcome["subject"])

    def inputs(self, **more: Any) -> Inputs:
        """Write the files and say where they are."""
        self.table.to_csv(self.folder / "predictions.csv", index=False)
        self.features.to_csv(self.folder / "features.csv", index=False)
        files = {"predictions": self.folder / "predictions.csv"}
        files |= {"features": self.folder / "features.csv", "splits": self._write_splits()}
        if self.metrics is not None:
            (self.folder / "reported.json").write_text(json.dumps(self.metrics))
            files["metrics"] = self.folder / "reported.json"
        return Inputs(**{"unit": "days", **files, **more})

    def audit(self, **more: Any) -> Audit:
        return audit_inputs(self.inputs(**more))

    def _features(self, subjects: int) -> pd.DataFrame:
        random = self.random
        columns = {
            "subject": [f"P{k:04d}" for k in range(subjects)],
            "age": random.normal(62, 9, subjects).round(1),
            "marker": random.lognormal(0, 1, subjects).round(3),
            "volume": random.gamma(2, 20, subjects).round(2),
            "stage": random.choice(["I", "II", "III"], subjects),
            "sex": random.integers(0, 2, subjects),
        }
        return pd.DataFrame(columns)

    def _outcome(self, scaled: np.ndarray, causes: int) -> pd.DataFrame:
        random, n = self.random, len(scaled)
        hazard = np.exp(np.stack([self.effect, *[-self.effect] * (causes - 1)], axis=1))
        times = SCALE * (random.exponential(size=hazard.shape) / hazard) ** (1 / SHAPE)
        censoring = random.uniform(200, 1500, n)
        first = times.min(axis=1)
        event = np.where(first <= censoring, times.argmin(axis=1) + 1, 0)
        duration = np.minimum(first, censoring).round(1) + 0.1
        return pd.DataFrame(
            {"subject": self.features["subject"], "duration": duration, "event": event}
        )

    def _splits(self, folds: int, repeats: int, *, by_site: bool) -> list[Fold]:
        made = []
        for repeat in range(repeats):
            if by_site:
                code = self.outcome["site"].str.removeprefix("site").astype(int)
                member = code.to_numpy() % folds
            else:
                order = np.lexsort((self.outcome["duration"], self.outcome["event"]))
                member = np.empty(len(order), dtype=int)
                for start in range(0, len(order), folds):
                    run = order[start : start + folds]
                    member[run] = self.random.permutation(folds)[: len(run)]
            for fold in range(folds):
                rest = self.random.permutation(np.flatnonzero(member != fold))
                inner, train = np.sort(rest[: len(rest) // 5]), np.sort(rest[len(rest) // 5 :])
                parts = (train, inner, np.flatnonzero(member == fold))
                names = [tuple(self.names[row] for row in part) for part in parts]
                made.append(Fold(repeat, fold, *names))
        return made

    def _predicted(self, fold: Fold, scaled: np.ndarray, causes: int) -> pd.DataFrame:
        place = {name: row for row, name in enumerate(self.names)}
        rows = [place[name] for name in fold.test]
        effect = EFFECT + self.random.normal(0, 0.1, len(EFFECT))
        score = scaled[rows] @ effect
        frame = self.outcome.iloc[rows].copy()
        frame.insert(1, "repeat", fold.repeat)
        frame.insert(2, "fold", fold.fold)
        hazards = [np.exp(score), *[np.exp(-score)] * (causes - 1)]
        total = np.sum(hazards, axis=0)
        for cause in range(1, causes + 1):
            risk = "risk_score" if causes == 1 else f"risk_score.cause{cause}"
            frame[risk] = (score if cause == 1 else -score).round(6)
        for time in TIMES:
            survival = np.exp(-total * (time / SCALE) ** SHAPE)
            if causes == 1:
                frame[f"survival@{time:g}"] = survival.round(6)
                continue
            for cause, hazard in enumerate(hazards, start=1):
                share = (hazard / total * (1 - survival)).round(6)
                frame[f"cumulative_incidence.cause{cause}@{time:g}"] = share
        return frame

    def _series(self, series: int) -> pd.DataFrame:
        """Several scans of each subject, all in the subject's fold."""
        frames = []
        for number in range(series):
            frame = self.table.copy()
            frame.insert(1, "series", frame["subject"] + f"_scan{number}")
            frame["risk_score"] += self.random.normal(0, 0.05, len(frame)).round(6)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True)

    def _write_splits(self) -> Path:
        settings = {"group_by_site": "site" in self.outcome.columns}
        Splits("study", settings, tuple(self.splits)).write(self.folder / "splits.json")
        return self.folder / "splits.json"


MakeStudy = Callable[..., Study]


@pytest.fixture
def make_study(tmp_path: Path) -> MakeStudy:
    """Return a function that makes a clean study in a folder of its own."""
    made: list[Study] = []

    def make(**settings: Any) -> Study:
        folder = tmp_path / f"study{len(made)}"
        folder.mkdir()
        made.append(Study(folder, **settings))
        return made[-1]

    return make


@pytest.fixture
def study(make_study: MakeStudy) -> Study:
    """A clean study of 300 subjects in five folds."""
    return make_study()
