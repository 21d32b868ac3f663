"""A cohort with a table, an embedding that some subjects lack, and two causes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.data import Cohort

SUBJECTS, WIDTH = 120, 6
Change = Callable[[dict[str, Any], pd.DataFrame, pd.DataFrame], None]


def frames() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the table of subjects and that of embeddings."""
    random = np.random.default_rng(0)
    names = [f"s{k:03d}" for k in range(SUBJECTS)]
    age, embedding = random.normal(60, 8, SUBJECTS), random.normal(size=(SUBJECTS, WIDTH))
    stage = np.array(["I", "II", "III"])[random.integers(0, 3, SUBJECTS)]
    hazard = 0.1 * (age - 60) + embedding[:, 0] + 0.5 * (stage == "III")
    first = 400 * random.exponential(np.exp(-hazard))
    second = 700 * random.exponential(np.exp(-0.5 * embedding[:, 1]))
    censoring = random.uniform(100, 1500, SUBJECTS)
    duration = np.minimum(np.minimum(first, second), censoring)
    age[::9] = np.nan
    table = pd.DataFrame(
        {
            "id": names,
            "age": age,
            "stage": stage,
            "days": duration.round(1) + 1,
            "event": np.where(duration == first, 1, np.where(duration == second, 2, 0)),
        }
    )
    vectors = pd.DataFrame(embedding, columns=[f"e{k}" for k in range(WIDTH)])
    vectors.insert(0, "id", names)
    return table, vectors.drop(index=range(0, SUBJECTS, 11))


@pytest.fixture
def make_cohort(tmp_path: Path) -> Callable[..., Cohort]:
    """Return a function that writes the cohort, bent by a change, and reads it."""

    def make(change: Change | None = None, *, causes: int = 1) -> Cohort:
        table, vectors = frames()
        outcome: dict[str, Any] = {"duration": "days", "unit": "days", "event": "event"}
        outcome |= {"causes": {1: "death"}, "censor": [2]}
        if causes == 2:
            outcome |= {"causes": {1: "death", 2: "other"}, "censor": []}
        config = {
            "name": "toy",
            "table": "patients.csv",
            "subject": "id",
            "outcome": outcome,
            "modalities": {
                "clinical": {"kind": "table", "columns": ["age", "stage"]},
                "histology": {"kind": "vector", "file": "vectors.csv"},
            },
        }
        if change is not None:
            change(config, table, vectors)
        table.to_csv(tmp_path / "patients.csv", index=False)
        vectors.to_csv(tmp_path / "vectors.csv", index=False)
        (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(config))
        return Cohort.read(tmp_path / "cohort.yaml")

    return make
