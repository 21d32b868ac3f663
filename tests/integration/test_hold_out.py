"""One hold-out split: its training subjects are known, so every metric that needs them is too."""

from __future__ import annotations

import json
from pathlib import Path

from survkit.cli import main
from survkit.data import Cohort, Fold, Splits


def test_a_hold_out_split_weighs_by_its_training_subjects(place: Path) -> None:
    """Brier scores are defined in the run, and the same when it is evaluated again."""
    cohort = Cohort.read(place / "cohort.yaml")
    names = cohort.subjects
    fold = Fold(0, 0, tuple(names[12:30]), tuple(names[30:]), tuple(names[:12]))
    Splits(cohort.config.name, {}, (fold,)).write(place / "splits.json")
    given = ["recipe.yaml", "--cohort", "cohort.yaml", "--quiet", "--replicates", "20"]
    assert main(["cv", *given, "--out", "hold-out", "--splits", "splits.json"]) == 0
    first = json.loads((place / "hold-out/metrics.json").read_text())
    assert main(["evaluate", "hold-out", "--replicates", "20"]) == 0
    second = json.loads((place / "hold-out/metrics.json").read_text())
    rows = (place / "hold-out/training.csv").read_text().splitlines()

    for key in ("brier_score", "uno_concordance_within_folds", "dynamic_auc"):
        pooled = first["causes"]["death"]["metrics"][key]["pooled"]
        assert "value" in pooled, pooled
        assert pooled == second["causes"]["death"]["metrics"][key]["pooled"]
    assert len(rows) == 1 + 24
    assert not (place / "cv/training.csv").exists()
