"""A small cohort whose folds differ in levels and time grid, and recipes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from survkit.data import Cohort
from survkit.recipe import Recipe

SUBJECTS = 48


def write_cohort(folder: Path, *, seed: int = 3, name: str = "toy") -> Path:
    """Write a cohort whose hazard grows with age; one grade is that of a single subject."""
    random = np.random.default_rng(seed)
    age = random.normal(60, 8, SUBJECTS).round(3)
    duration = 300 * random.exponential(np.exp(-0.1 * (age - 60)))
    censoring = random.uniform(100, 900, SUBJECTS)
    grade = random.choice(["low", "high"], SUBJECTS).astype(object)
    grade[7] = "odd"
    folder.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(
        {
            "id": [f"patient-{k:02d}" for k in range(SUBJECTS)],
            "age": age,
            "grade": grade,
            "days": (np.minimum(duration, censoring) + 1).round(2),
            "event": (duration <= censoring).astype(int),
        }
    ).to_csv(folder / "patients.csv", index=False)
    content = {
        "name": name,
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["age", "grade"]}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


def read_cohort(folder: Path, **settings: Any) -> Cohort:
    return Cohort.read(write_cohort(folder, **settings))


def recipe(*changes: str) -> Recipe:
    """Return the recipe of a discrete-time network with dropout and a grid of quantiles."""
    data = {
        "title": "toy",
        "encoders": {"clinical": {"use": "tabular", "hidden": [6], "dim": 4, "dropout": 0.2}},
        "head": {"use": "deephit"},
        "outcome": {"horizon": 300, "grid": {"kind": "quantile", "intervals": 4}},
        "objective": ["deephit-likelihood"],
        "training": {
            "epochs": 5,
            "micro_batch": 64,
            "accelerator": "cpu",
            "optimizer": {"lr": 0.02},
        },
    }
    return Recipe.parse(data, source="test", overrides=list(changes))
