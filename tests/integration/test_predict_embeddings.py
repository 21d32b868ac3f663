"""An embedding reaches a saved model in the order of columns it was trained on, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.data import Cohort
from survkit.errors import DataError
from survkit.recipe import Recipe
from survkit.training.fit import fit

SUBJECTS = 30
RECIPE = {
    "encoders": {"rna": {"use": "vector", "dim": 2}},
    "head": "cox",
    "outcome": {"horizon": 50},
    "objective": "cox",
    "training": {"epochs": 1, "validation": 0.0, "accelerator": "cpu"},
}


def cohort_of(folder: Path, vectors: pd.DataFrame) -> Cohort:
    """Write a cohort whose one modality is the embedding."""
    random = np.random.default_rng(1)
    folder.mkdir()
    days = random.exponential(100, SUBJECTS) + 1
    table = {"id": vectors["id"], "days": days, "event": random.integers(0, 2, SUBJECTS)}
    pd.DataFrame(table).to_csv(folder / "patients.csv", index=False)
    vectors.to_csv(folder / "rna.csv", index=False)
    config = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"rna": {"kind": "vector", "file": "rna.csv"}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    return Cohort.read(folder / "cohort.yaml")


def test_an_embedding_with_its_columns_in_another_order_is_refused(tmp_path: Path) -> None:
    """Its width is right, so the curves would be those of other patients, without a word."""
    values = np.random.default_rng(0).normal(size=(SUBJECTS, 3))
    vectors = pd.DataFrame(values, columns=["a", "b", "c"])
    vectors.insert(0, "id", [f"s{k}" for k in range(SUBJECTS)])
    trained_on = cohort_of(tmp_path / "training", vectors)
    fitted = fit(Recipe.parse(RECIPE, source="test"), trained_on, tmp_path / "run", progress=False)
    shuffled = cohort_of(tmp_path / "shuffled", vectors.iloc[::-1])
    permuted = cohort_of(tmp_path / "permuted", vectors[["id", "a", "c", "b"]])

    curves = fitted.predict(shuffled).survival([25.0])
    assert curves.equal(fitted.predict(trained_on).survival([25.0]).flip(0))
    with pytest.raises(DataError, match=r"entry 2 of the embedding is the column 'c', but .*'b'"):
        fitted.predict(permuted)
