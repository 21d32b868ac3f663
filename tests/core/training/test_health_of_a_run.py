"""A part that warns of itself is told of by every file that a run leaves."""

from __future__ import annotations

import csv
import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.auditing import audit
from survkit.component import CORE_PLUGIN, Plugin
from survkit.components import survkit_register
from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.training import cross_validate

SUBJECTS = 40


def write_cohort(folder: Path) -> Path:
    random = np.random.default_rng(0)
    table = {
        "id": [f"s{k:02d}" for k in range(SUBJECTS)],
        "days": random.uniform(1, 100, SUBJECTS).round(2),
        "event": random.integers(0, 2, SUBJECTS),
        "a": random.normal(size=SUBJECTS),
        "b": random.normal(size=SUBJECTS),
    }
    pd.DataFrame(table).to_csv(folder / "patients.csv", index=False)
    content = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"blood": {"kind": "table", "columns": ["a", "b"]}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(content))
    return folder / "cohort.yaml"


def test_log_facts_report_and_audit_tell_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two members of two folds each warn once, and are found again on the page and in the audit."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    registry = Registry()
    with registry.adding_for(Plugin(CORE_PLUGIN, "survkit-core", "0")):
        survkit_register(registry)
    registry.add("encoder", "coded", "following_codes:CodedTable", summary="codes")
    recipe = Recipe.parse(
        {
            "encoders": {"blood": "coded"},
            "head": "cox",
            "outcome": {"horizon": 90},
            "objective": "cox",
            "training": {"epochs": 2, "members": 2, "accelerator": "cpu", "validation": 0},
        },
        source="test",
    )
    cohort, run = Cohort.read(write_cohort(tmp_path)), tmp_path / "run"

    with caplog.at_level(logging.WARNING, logger="survkit.training"):
        cross_validate(recipe, cohort, run, folds=2, replicates=0, registry=registry)

    for fold in ("fold-0", "fold-1"):
        facts = json.loads((run / fold / "training.json").read_text())
        assert [[one["module"] for one in member] for member in facts["health"]] == [["blood"]] * 2
        with (run / fold / "member-1" / "log.csv").open() as file:
            assert all(
                1 <= float(line["health/blood.perplexity"]) < 3 for line in csv.DictReader(file)
            )
    assert sum("choose fewer" in record.getMessage() for record in caplog.records) == 4
    page = (run / "report.html").read_text()
    assert "choose fewer" in page
    assert "blood.perplexity over the epochs of 4 trainings" in page
    found = [one for one in audit(run).findings if one.rule == "part-health"]
    assert [one.severity for one in found] == ["warning"]
