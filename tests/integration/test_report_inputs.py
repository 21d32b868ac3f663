"""Runs leave behind what their report shows."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from survkit.cli import main


def test_both_commands_describe_the_cohort(place: Any) -> None:
    """In counts, the folds of a cross-validation and the validation part of a single fit."""
    cv, fitted = (
        json.loads((place / f"{name}/cohort.json").read_text()) for name in ("cv", "fitted")
    )

    assert cv["subjects"] == fitted["subjects"] == 36
    assert [fold["test"] for fold in cv["folds"]] == [12, 12, 12]
    assert fitted["folds"][0]["test"] == 0
    assert fitted["folds"][0]["validation"] > 0
    assert not any(f"s{k:02d}" in json.dumps(cv) for k in range(36))


def test_attention_is_kept_by_fold_and_shown(
    place: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every subject has the weights of the model that never saw it; they add up to one."""

    def second_modality(content: Any) -> None:
        content["modalities"]["age"] = {"kind": "table", "columns": ["age"]}
        content["modalities"]["clinical"]["columns"] = ["stage"]

    place.yaml("cohort.yaml", second_modality)
    place.yaml("recipe.yaml", lambda content: content["encoders"].update(age="tabular"))
    given = ["recipe.yaml", "--cohort", "cohort.yaml", "--out", "gated", "--set", "fusion=gated"]
    assert main(["cv", *given, "--folds", "2", "--replicates", "0", "--quiet"]) == 0
    parts = [pd.read_parquet(place / f"gated/fold-{k}/attention.parquet") for k in range(2)]
    rows = pd.concat(parts)
    predictions = pd.read_parquet(place / "gated/predictions.parquet")

    assert sorted(rows["modality"].unique()) == ["age", "clinical"]
    assert (rows.groupby("subject")["value"].sum() - 1).abs().max() < 1e-6
    folds = rows.drop_duplicates("subject").set_index("subject")["fold"]
    assert folds.to_dict() == predictions.set_index("subject")["fold"].to_dict()
    assert 'id="attention"' in (place / "gated/report.html").read_text()
    assert not list((place / "cv").glob("fold-*/attention.parquet"))
