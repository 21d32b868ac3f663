"""A linear Cox model trained by the engine is the ridge Cox model of scikit-survival."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.training.fit import fit

SUBJECTS = 80
PENALTY = 1.0


def test_gradient_descent_with_weight_decay_ends_at_the_ridge_solution(tmp_path: Path) -> None:
    """Penalised by weight decay per event, over the whole follow-up: the same log hazards."""
    linear_model = pytest.importorskip("sksurv.linear_model")
    util = pytest.importorskip("sksurv.util")
    random = np.random.default_rng(0)
    values = random.normal(size=(SUBJECTS, 4)) * [1.0, 5.0, 0.1, 2.0] + 3.0
    duration = random.exponential(np.exp(-(values[:, 0] - 3.0))) * 100 + 1
    event = random.random(SUBJECTS) < 0.7
    table = pd.DataFrame(values, columns=list("abcd"))
    table.insert(0, "id", [f"s{k}" for k in range(SUBJECTS)])
    table = table.assign(days=duration, event=event.astype(int))
    table.to_csv(tmp_path / "patients.csv", index=False, float_format="%.17g")
    config = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": list("abcd")}},
    }
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(config))
    cohort = Cohort.read(tmp_path / "cohort.yaml")
    recipe = {
        "encoders": {"clinical": {"use": "tabular", "dim": None}},
        "head": "cox",
        "outcome": {"horizon": 50},
        "objective": {"use": "cox", "after_horizon": "events"},
        "training": {
            "epochs": 150,
            "micro_batch": 100,
            "accelerator": "cpu",
            "precision": "64-true",
            "validation": 0,
            "optimizer": {"use": "sgd", "lr": 0.1, "momentum": 0.0, "weight_decay": PENALTY},
        },
    }

    fitted = fit(Recipe.parse(recipe, source="test"), cohort, tmp_path / "run", progress=False)

    scaled = (values - values.mean(axis=0)) / values.std(axis=0)
    ridge = linear_model.CoxPHSurvivalAnalysis(alpha=PENALTY * event.sum(), n_iter=100)
    expected = ridge.fit(scaled, util.Surv.from_arrays(event, duration)).coef_
    found = fitted.members[0].head.output.weight[0, :4].detach()  # type: ignore[union-attr]
    torch.testing.assert_close(found.double(), torch.from_numpy(expected), rtol=1e-3, atol=1e-5)
