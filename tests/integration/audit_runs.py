"""What the tests of audits share: a cohort of tables, runs of it, and what an audit found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from survkit.auditing import Audit, Inputs, audit_inputs
from survkit.cli import main

SUBJECTS = 240


COHORT: dict[str, Any] = {
    "name": "toy",
    "table": "patients.csv",
    "subject": "id",
    "site": "hospital",
    "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
    "modalities": {
        "clinical": {"kind": "table", "columns": ["age", "stage", "rare"]},
        "embedding": {"kind": "vector", "file": "embedding.csv"},
    },
}


RECIPE: dict[str, Any] = {
    "title": "small",
    "encoders": {
        "clinical": {"use": "tabular", "dim": 4, "transform": "yeo-johnson"},
        "embedding": {"use": "vector", "components": 3, "dim": 4},
    },
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 2, "micro_batch": 512, "accelerator": "cpu"},
}


QUANTILE = [
    "head=deephit",
    "objective=[{use: deephit-likelihood, weight: 1.0}]",
    "outcome.grid={kind: quantile, intervals: 5}",
]


def write_inputs(folder: Path, causes: int = 1) -> None:
    """Write a cohort whose hazard grows with age, with levels that few subjects have."""
    random = np.random.default_rng(1)
    age = random.normal(60, 8, SUBJECTS).round(3)
    duration = 400 * random.exponential(np.exp(-0.08 * (age - 60)))
    censoring = random.uniform(150, 1200, SUBJECTS)
    names = [f"s{k:03d}" for k in range(SUBJECTS)]
    table = {
        "id": names,
        "hospital": random.choice(list("ABCDEFGH"), SUBJECTS),
        "age": age,
        "stage": random.choice(["I", "II", "III"], SUBJECTS),
        "rare": [f"type{k // 4}" if k < 12 else "usual" for k in range(SUBJECTS)],
        "days": (np.minimum(duration, censoring) + 1).round(2),
        "event": np.where(duration <= censoring, random.integers(1, causes + 1, SUBJECTS), 0),
    }
    pd.DataFrame(table).to_csv(folder / "patients.csv", index=False)
    values = pd.DataFrame(random.normal(size=(SUBJECTS, 6)).round(4), columns=list("uvwxyz"))
    values.insert(0, "id", names)
    values.to_csv(folder / "embedding.csv", index=False)
    named = {code: f"cause{code}" for code in range(1, causes + 1)}
    cohort = COHORT | {"outcome": COHORT["outcome"] | {"causes": named}}
    (folder / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))


def cross_validated(folder: Path, name: str, *more: str) -> Path:
    """Run ``survkit cv`` and return the run."""
    line = ["cv", str(folder / "recipe.yaml"), "--cohort", str(folder / "cohort.yaml")]
    line += ["--out", str(folder / name), "--quiet", "--replicates", "0", *more]
    assert main(line) == 0
    return folder / name


def audited(run: Path) -> Audit:
    return audit_inputs(Inputs(predictions=run, cohort=run.parent / "cohort.yaml"))


def only(found: Audit, rule: str, severity: str = "error") -> str:
    """Return message and evidence of the one finding above a note."""
    grave = [one for one in found.findings if one.severity != "note"]
    assert {(one.rule, one.severity) for one in grave} == {(rule, severity)}, grave
    return f"{grave[0].message}: {grave[0].evidence}"
