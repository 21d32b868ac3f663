"""Radiomics of six hospitals, each tested by a model that never saw it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from survkit.cli import main

EXAMPLE = Path(__file__).parents[2] / "examples" / "radvit" / "multisite"


@pytest.mark.slow
def test_every_site_is_tested_unseen(tmp_path: Path, shared_data: Path) -> None:
    """Six folds of one site each; near the 0.58 of a ridge logistic regression, far from 1."""
    source, cohort = shared_data / "nsclc-multisite-radiomics", tmp_path / "cohort"
    subprocess.run([sys.executable, EXAMPLE / "make_cohort.py", source, cohort], check=True)
    line = f"cv {EXAMPLE / 'ridge.yaml'} --cohort {cohort / 'cohort.yaml'} --by-site --folds 6"
    fixed = ["--set", "search={}", "--set", "training.epochs=30"]
    rest = f"--out {tmp_path / 'run'} --replicates 0 --quiet"
    assert main([*line.split(), *fixed, *rest.split()]) == 0

    folds = json.loads((tmp_path / "run" / "splits.json").read_text("utf-8"))["folds"]
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text("utf-8"))
    site = pd.read_csv(cohort / "patients.csv").set_index("patient_id")["site"]
    found = metrics["causes"]["death"]["metrics"]["harrell_concordance_within_folds"]
    tested = [set(site[fold["test"]]) for fold in folds]
    assert sorted(map(len, tested)) == [1] * 6
    assert all(not tested[n] & set(site[fold["train"]]) for n, fold in enumerate(folds))
    assert 0.5 < found["pooled"]["value"] < 0.65
