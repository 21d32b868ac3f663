"""Audits of clean runs of many kinds are silent."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.integration.audit_runs import RECIPE, audited, cross_validated, write_inputs

from survkit.auditing import Inputs, audit_inputs
from survkit.cli import main


def test_a_clean_search_with_repeats_is_silent(tmp_path: Path) -> None:
    """Values chosen on the inner validation part, twice."""
    write_inputs(tmp_path)
    recipe = RECIPE | {"search": {"training.optimizer.lr": [0.001, 0.01]}}
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))
    more = ("--set", "training.monitor=concordance", "--set", "training.validation=0.25")

    found = audited(cross_validated(tmp_path, "run", "--folds", "2", "--repeats", "2", *more))

    assert found.findings == ()
    assert "same-model" in found.checked


def test_clean_competing_causes_split_by_site_are_silent(tmp_path: Path) -> None:
    """Whole sites are tested, and the audit knows it from the splits."""
    write_inputs(tmp_path, causes=2)
    splits = tmp_path / "splits.json"
    line = ["cohort", "split", str(tmp_path / "cohort.yaml"), "--out", str(splits)]
    assert main([*line, "--folds", "3", "--by-site"]) == 0

    found = audited(cross_validated(tmp_path, "run", "--splits", str(splits)))

    assert found.findings == ()
    assert {"site-overlap", "fitted-outside"} <= set(found.checked)


@pytest.mark.slow
def test_clean_images_are_silent(tmp_path: Path) -> None:
    """Phantoms with images: nothing is read again, everything else is asked."""
    line = ["phantom", "--out", str(tmp_path / "cohort"), "--subjects", "160", "--size", "16"]
    assert main([*line, "--modality", "pet", "--modality", "clinical", "--censored", "0.3"]) == 0
    cohort = tmp_path / "cohort" / "cohort.yaml"
    recipe = ["--set", "encoders={pet: {use: cnn3d, dim: 4}, clinical: {use: tabular}}"]
    line = ["cv", "demo", "--cohort", str(cohort), "--out", str(tmp_path / "run"), "--quiet"]
    cache = ["--cache", str(tmp_path / "cache")]
    line += ["--folds", "3", "--replicates", "0", "--set", "training.epochs=1", *cache]
    assert main([*line, *recipe]) == 0

    found = audit_inputs(Inputs(predictions=tmp_path / "run", cohort=cohort))

    assert found.findings == ()
    assert "fitted-outside" in found.checked
