"""The epoch of the best time-dependent concordance is taken, in every place that chooses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.report.protocol import epoch_choice
from survkit.training import fit


def test_antolini_chooses_the_epoch(tmp_path: Path) -> None:
    """The kept epoch is the first with the highest logged value, and the files say by what."""
    random = np.random.default_rng(4)
    age = random.normal(size=60)
    days = (1 + 100 * random.exponential(np.exp(-age))).round(2)
    event = (random.uniform(size=60) < 0.7).astype(int)
    pd.DataFrame({"id": [f"s{k}" for k in range(60)], "age": age, "days": days, "event": event}
                 ).to_csv(tmp_path / "p.csv", index=False)  # fmt: skip
    content = {
        "name": "toy", "table": "p.csv", "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["age"]}},
    }  # fmt: skip
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(content))
    plan = Recipe.parse(
        {
            "encoders": {"clinical": {"use": "tabular", "hidden": [4]}},
            "head": {"use": "deephit", "shared": [4], "cause": [4]},
            "outcome": {"horizon": 150, "grid": {"intervals": 10}},
            "objective": "deephit-likelihood",
            "training": {"epochs": 6, "monitor": "antolini", "accelerator": "cpu",
                         "optimizer": {"lr": 0.05}},
        },
        source="test",
    )  # fmt: skip
    fit(plan, Cohort.read(tmp_path / "cohort.yaml"), tmp_path / "run", progress=False)

    rows = list(csv.DictReader((tmp_path / "run/log.csv").read_text().splitlines()))
    values = [float(row["validation_concordance"]) for row in rows]
    facts = json.loads((tmp_path / "run/training.json").read_text())
    assert facts["monitor"] == "antolini"
    assert facts["score"] == max(values)
    assert facts["best_epoch"] == [int(np.argmax(values))]
    assert "highest time-dependent concordance (Antolini)" in epoch_choice({"monitor": "antolini"})
