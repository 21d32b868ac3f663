"""Two encoders of one CT: each is shown under its own name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from survkit.data import Cohort
from survkit.explaining import explain_run
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate, fit


def plan() -> Recipe:
    """A token per slice, and a token per block of the same volume."""
    content: dict[str, Any] = {
        "encoders": {
            "ct": {"use": "slices"},
            "blocks": {"use": "mirror", "modality": "ct"},
            "clinical": {"use": "tabular", "dim": 4},
        },
        "fusion": {"use": "attention", "dim": 8, "layers": 0},
        "head": "cox",
        "outcome": {"horizon": 700},
        "objective": "cox",
        "training": {"epochs": 1, "micro_batch": 8, "accelerator": "cpu"},
    }
    return Recipe.parse(content, source="test")


@pytest.mark.parametrize("command", ["cv", "fit"])
def test_each_has_its_view_and_its_mask(
    command: str, made: Path, tmp_path: Path, registry: Registry
) -> None:
    """Of a run and of a model: slices of the CT, blocks of the same CT, and one mask for both."""
    cohort = Cohort.read(made / "phantom" / "cohort.yaml")
    if command == "cv":
        options: dict[str, Any] = {"folds": 2, "replicates": 0}
        cross_validate(
            plan(), cohort, tmp_path / "run", progress=False, registry=registry, **options
        )
    else:
        fit(plan(), cohort, tmp_path / "run", progress=False, registry=registry)

    found = explain_run(
        tmp_path / "run",
        cohort,
        out=tmp_path / "explained",
        count=1,
        mask_subjects=4,
        registry=registry,
    )

    views = {view["modality"]: view for view in found.content["subjects"][0]["modalities"]}
    assert sorted(views) == ["blocks", "ct"]
    assert "volume" not in views["ct"]
    shown = [row["name"] for row in views["blocks"]["volume"]["rows"]]
    assert {"input", "echo", "reconstruction"} <= {*shown}
    assert sorted(found.content["masks"]) == ["blocks", "ct"]
    assert {one["n"] for one in found.content["masks"].values()} == {4}
