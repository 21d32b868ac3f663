"""Runs on real files: what is learnt from whom, one X-ray for both branches, real tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from PIL import Image

from survkit.auditing import audit
from survkit.cli import main
from survkit.evaluation import Predictions
from survkit.hub import from_pretrained
from survkit.radiomics import patch_features

SUBJECTS = 24


def cv(recipe: str | Path, cohort: Path, out: Path, *changes: str) -> None:
    """Cross-validate; the error, if any, is on the screen."""
    line = ["cv", str(recipe), "--cohort", str(cohort), "--out", str(out), "--folds", "2"]
    line += [part for change in changes for part in ("--set", change)]
    line += ["--cache", str(out.parent / "cache")]
    assert main([*line, "--replicates", "0", "--quiet"]) == 0


@pytest.fixture(scope="module")
def hybrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with X-rays of 36 x 36, and the hybrid cross-validated on them."""
    folder = tmp_path_factory.mktemp("hybrid")
    made = f"phantom --out {folder / 'cohort'} --subjects {SUBJECTS} --size 36 --modality cxr"
    assert main(made.split()) == 0
    changes = ("training.epochs=1", "training.risk_set=8", "training.micro_batch=4")
    cv("radvit/small", folder / "cohort" / "cohort.yaml", folder / "run", *changes)
    return folder


def test_the_scale_is_that_of_the_training_subjects_patches(hybrid: Path) -> None:
    """Fold by fold: mean, median and SD over the patches of those who train, and of nobody else."""
    table = pd.read_csv(hybrid / "cohort" / "table.csv", dtype={"subject_id": str})
    pictures = [
        np.asarray(Image.open(hybrid / "cohort" / path), dtype=np.float64)
        for path in table["cxr_path"]
    ]
    images = torch.from_numpy(np.stack(pictures))
    low, high = images.amin((1, 2), keepdim=True), images.amax((1, 2), keepdim=True)
    for fold in json.loads((hybrid / "run" / "splits.json").read_text())["folds"]:
        model = from_pretrained(hybrid / "run" / f"fold-{fold['fold']}").members[0]
        encoder: Any = model.encoders["radiomics"]
        features = patch_features(
            (images - low) * 255 / (high - low), encoder.patch, encoder.settings
        )
        rows = features[torch.from_numpy(table["subject_id"].isin(fold["train"]).to_numpy())]
        known = rows.flatten(0, 1).numpy()
        sd = known.std(axis=0)
        varies = (sd > 1e-8) & (sd > 1e-14 * np.abs(known).max(axis=0))
        expected = np.where(varies, 1 / np.where(varies, sd, 1), 0)

        scaling = encoder.scaling

        assert 8 <= len(rows) < SUBJECTS
        np.testing.assert_allclose(scaling.mean.numpy(), known.mean(axis=0), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(scaling.median.numpy(), np.median(known, axis=0), rtol=1e-9)
        np.testing.assert_allclose(scaling.factor.numpy(), expected, rtol=1e-6)


def test_both_branches_read_the_one_x_ray(hybrid: Path) -> None:
    """Two encoders, one modality of the cohort, a finite log hazard for everybody."""
    config = json.loads((hybrid / "run" / "fold-0" / "config.json").read_text())
    table = Predictions.read(hybrid / "run" / "predictions.parquet")

    assert set(config["inputs"]) == {"cxr", "radiomics"}
    assert config["inputs"]["cxr"] == config["inputs"]["radiomics"]
    assert len(table.subject) == SUBJECTS
    assert np.isfinite(table.risk_score).all()


def ridge_cox(folder: Path, features: Path, clinical: Path) -> Path:
    """Write a cohort of one table of features, and a ridge Cox model of it."""
    table = pd.read_csv(clinical)[["patient_id", "time_days", "event"]]
    read = pd.read_csv(features)
    table[table["patient_id"].isin(read["patient_id"])].to_csv(folder / "patients.csv", index=False)
    columns = [name for name in read.columns if name != "patient_id"]
    cohort = {
        "name": "lung1-radiomics",
        "table": "patients.csv",
        "subject": "patient_id",
        "outcome": {"duration": "time_days", "unit": "days", "event": "event", "causes": {1: "d"}},
        "modalities": {"radiomics": {"kind": "table", "file": str(features), "columns": columns}},
    }
    recipe = {
        "encoders": {"radiomics": {"use": "radvit/radiomics"}},
        "fusion": {"use": "mean", "dim": None},
        "head": "cox",
        "outcome": {"horizon": 1825},
        "objective": "cox",
        "training": {
            "epochs": 60,
            "risk_set": "all",
            "micro_batch": 64,
            "optimizer": {"lr": 0.01, "weight_decay": 1.0},
            "accelerator": "cpu",
        },
    }
    for name, content in {"cohort": cohort, "recipe": recipe}.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.slow
def test_ridge_cox_on_the_radiomics_of_lung1(tmp_path: Path, shared_data: Path) -> None:
    """Between chance and .65, where published signatures of this cohort lie; an audit that fits the
    scale anew finds it on the training part alone.
    """
    lung1 = shared_data / "lung1"
    folder = ridge_cox(tmp_path, lung1 / "radiomics_wide.csv", lung1 / "clinical.csv")
    cv(folder / "recipe.yaml", folder / "cohort.yaml", folder / "run")

    metrics = json.loads((folder / "run" / "metrics.json").read_text())
    found = audit(folder / "run", cohort=folder / "cohort.yaml")

    assert "fitted-outside" in found.checked
    assert not [each for each in found.findings if each.rule == "fitted-outside"]
    harrell = metrics["causes"]["d"]["metrics"]["harrell_concordance_within_folds"]
    assert 0.5 < harrell["pooled"]["value"] < 0.65
