"""Predictions that are to be evaluated say where they are of subjects whom the model has seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.core.finalizing.toy import read_cohort, recipe, write_cohort

from survkit.cli import main
from survkit.training import fit


def test_a_model_is_not_tested_on_its_own_cohort_unnoticed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said of the cohort it was trained on, where outcomes are asked for; not of another."""
    fit(recipe("training.epochs=1"), read_cohort(tmp_path / "own"), tmp_path / "m", progress=False)
    own = ["predict", str(tmp_path / "m"), "--cohort", str(tmp_path / "own/cohort.yaml")]
    other = [*own[:3], str(write_cohort(tmp_path / "other", seed=4, name="other"))]

    assert main([*own, "--with-outcome"]) == 0
    assert "was trained on the cohort 'toy': what is evaluated" in capsys.readouterr().err
    assert main(own) == 0
    assert main([*other, "--with-outcome"]) == 0
    assert capsys.readouterr().err == ""
