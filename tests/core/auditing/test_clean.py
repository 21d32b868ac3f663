"""Clean protocols are silent, and impossible tables are looked at instead of refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from survkit.auditing.rules import RULES

MakeStudy = Callable[..., Any]

SHAPES = {
    "ordinary": {},
    "competing causes": {"causes": 2},
    "repeats": {"repeats": 3},
    "whole sites": {"sites": 10},
    "large": {"subjects": 1000, "folds": 3},
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", [1])
def test_a_clean_study_is_silent(make_study: MakeStudy, shape: str, seed: int) -> None:
    """With splits and features, and with nothing but the table."""
    study = make_study(seed=seed, **SHAPES[shape])

    assert study.audit().findings == ()
    assert study.audit(splits=None, features=None).findings == ()


def test_a_useless_model_is_not_accused(make_study: MakeStudy) -> None:
    """Scores of noise, durations rounded to months.

    The seed of the noise is not the study's: it would repeat the draws that made the ages.
    """
    for seed in range(4):
        study = make_study(seed=seed)
        study.table["risk_score"] = np.random.default_rng(100 + seed).normal(size=300)
        study.table = study.table.drop(columns=[c for c in study.table if "@" in c])
        study.table["duration"] = np.ceil(study.table["duration"] / 30)

        assert study.audit(unit="months").findings == ()


def test_a_held_out_test_set_is_asked_about_its_training(make_study: MakeStudy) -> None:
    """Splits without folds, predictions without folds, training subjects in a file of their own."""
    study = make_study(subjects=700, folds=2)
    fold, folder = study.splits[0], study.folder
    parts = [(name, part) for part in ("train", "test") for name in getattr(fold, part)]
    pd.DataFrame(parts, columns=["subject", "part"]).to_csv(folder / "parts.csv", index=False)
    study.outcome[study.outcome["subject"].isin(fold.train)].to_csv(
        folder / "training.csv", index=False
    )
    study.table = study.table[study.table["fold"] == 0].drop(columns=["fold", "repeat"])

    found = study.audit(splits=folder / "parts.csv", training=folder / "training.csv")
    overlapping = study.audit(splits=None, training=folder / "predictions.csv")

    assert found.findings == ()
    assert {"subject-overlap", "fold-membership"} <= set(found.checked)
    assert {one.rule for one in overlapping.of("error")} == {"subject-overlap"}


def test_parquet_tables_and_words_are_read_alike(make_study: MakeStudy) -> None:
    """Dates, categories and booleans of another program."""
    study = make_study()
    inputs = study.inputs()
    study.table["event"] = study.table["event"].astype(bool)
    path = study.folder / "predictions.parquet"
    study.table.to_parquet(path)
    features = study.features.assign(
        born=pd.Timestamp("1950-01-01"), stage=study.features["stage"].astype("category")
    )
    features.to_parquet(study.folder / "features.parquet")

    found = study.audit(predictions=path, features=study.folder / "features.parquet")

    assert found.findings == ()
    assert set(found.checked) == set(study.audit(splits=inputs.splits).checked)


@pytest.mark.parametrize("seed", range(6))
def test_no_table_is_too_broken_to_be_looked_at(make_study: MakeStudy, seed: int) -> None:
    """Cells are spoilt at random: every rule answers, and what is impossible is said."""
    study = make_study(subjects=80, folds=4, causes=1 + seed % 2, repeats=1 + seed % 3)
    random = np.random.default_rng(seed)
    spoilt = ["", "x", "-1", "1e400", "0", "nan", "7.5"]
    study.table = study.table.astype(object)
    for _ in range(200):
        row, column = random.integers(len(study.table)), random.integers(study.table.shape[1])
        study.table.iat[row, column] = random.choice(spoilt)
    study.metrics = {"uno": 0.0, "ibs": {"value": 0.0, "folds": [0.1, None, 0.2]}, "c_index": 0.5}

    found = study.audit()

    assert len(found.checked) + len(found.not_checked) == len(RULES)
    assert "impossible-outcome" in {one.rule for one in found.of("error")}


@pytest.mark.parametrize("column", ["event", "duration", "risk_score"])
def test_empty_columns_are_looked_at(study: Any, column: str) -> None:
    """Not one usable outcome, or not one score."""
    study.table[column] = ""

    assert not study.audit().clean


def test_one_subject_is_looked_at(study: Any) -> None:
    """Nothing can be measured, which is said."""
    study.table = study.table.head(1)

    found = study.audit(splits=None, features=None)

    assert found.clean
    assert {one.rule for one in found.findings} >= {"few-events"}


def test_the_files_are_where_the_study_says(study: Any) -> None:
    """What the tests bend is what is read."""
    inputs = study.inputs()

    assert isinstance(inputs.predictions, Path)
    assert pd.read_csv(inputs.predictions).shape[0] == 300
