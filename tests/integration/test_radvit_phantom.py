"""A planted class of radiomic features is found by importance, as examples/radvit/phantom says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from survkit.cli import main

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "radvit" / "phantom"


def plant_group() -> ModuleType:
    """The example's script as a module."""
    spec = importlib.util.spec_from_file_location("plant_group", EXAMPLE / "plant_group.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.slow
def test_the_planted_class_comes_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """NGTDM features decide the hazard: they alone explain it, and no other class comes near."""
    chests, run = tmp_path / "chests", tmp_path / "run"
    made = "--subjects 480 --size 48 --modality cxr --masks --seed 5"
    assert main(["phantom", "--out", str(chests), *made.split()]) == 0
    plant_group().main(chests, "ngtdm")
    said = capsys.readouterr().out
    cohort = ["--cohort", str(chests / "planted-ngtdm.yaml")]
    words = ["--folds", "2", "--seed", "5", "--no-explain", "--quiet", "--replicates", "0"]
    assert main(["cv", str(EXAMPLE / "ridge.yaml"), *cohort, "--out", str(run), *words]) == 0
    assert main(["importance", str(run), *cohort, "--repeats", "5", "--replicates", "200"]) == 0

    groups = json.loads((run / "importance" / "importance.json").read_text())["groups"]
    drop = {entry["name"].removeprefix("radiomics: "): entry["importance"] for entry in groups}
    assert "ngtdm: adjusted R² 1.00" in said
    assert len(drop) == 6
    planted = drop.pop("ngtdm")
    assert planted["interval"]["lower"] > max(other["interval"]["upper"] for other in drop.values())
