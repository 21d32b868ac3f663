"""Comparisons as files, and from files and runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tests.core.comparison.conftest import FAST, cohort

import survkit
from survkit.comparison.compare import compare
from survkit.comparison.comparison import Comparison, PairComparison
from survkit.evaluation.metric_names import ANTOLINI, HARRELL, INTEGRATED_BRIER
from survkit.evaluation.predictions import Predictions
from survkit.metrics.estimate import Undefined


def test_files_hold_the_same_numbers_and_are_stable(
    models: dict[str, Predictions], tmp_path: Path
) -> None:
    """JSON without NaN, CSV of one row per pair; the same seed gives the same bytes."""
    options: dict[str, Any] = {"reference": "good", **FAST}
    written = [compare(models, **options).write(tmp_path / f"new/{number}") for number in range(2)]
    stored = json.loads(written[0][0].read_text())
    with written[0][1].open(newline="") as file:
        rows = list(csv.DictReader(file))

    assert [path.read_bytes() for path in written[0]] == [path.read_bytes() for path in written[1]]
    assert stored["format"] == 1
    assert list(stored["metrics"]) == [HARRELL, ANTOLINI, INTEGRATED_BRIER]
    assert stored["settings"]["reference"] == "good"
    assert set(stored["models"]) == set(models)
    assert len(rows) == 6
    first = stored["metrics"][HARRELL]["pairs"][0]
    assert float(rows[0]["difference"]) == first["difference"]["value"]
    assert float(rows[0]["permutation_p_holm"]) == first["p_holm"]
    assert len(first["influential"]) == 10


def test_runs_and_files_are_read(models: dict[str, Predictions], tmp_path: Path) -> None:
    """A run folder and a bare table are as good as the table itself."""
    (tmp_path / "run").mkdir()
    models["good"].write(tmp_path / "run/predictions.parquet")
    bare = models["poor"].write(tmp_path / "bare.parquet")
    read = survkit.compare({"good": tmp_path / "run", "poor": bare}, **FAST)
    given = compare({name: models[name] for name in ("good", "poor")}, **FAST)

    assert read.to_json() == given.to_json()


def test_all_censored_is_undefined_and_written(tmp_path: Path) -> None:
    """No event, no comparison of concordances, and the reason in the file."""
    tables = {
        name: replace(cohort(30, noise=noise), event=np.zeros(60, dtype=np.int64))
        for name, noise in (("a", 0.5), ("b", 1.0))
    }
    found: Comparison = compare(tables, **FAST)
    pair: PairComparison = found.metrics[HARRELL].pairs[0]
    found.write(tmp_path)

    assert isinstance(pair.permutation, Undefined)
    assert "nobody has the event" in pair.permutation.reason
    assert found.influential(pair) == []
