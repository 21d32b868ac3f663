"""The commands fit, cv and predict on a small cohort, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from survkit.cli import main
from survkit.evaluation.metric_names import HARRELL
from survkit.flow import SurvivalTarget
from survkit.metrics import Estimate, harrell_concordance

RECIPE = {
    "title": "linear",
    "encoders": {"clinical": {"use": "tabular", "dim": None}},
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 15, "micro_batch": 64, "accelerator": "cpu", "optimizer": {"lr": 0.05}},
}


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with cohort.yaml and recipe.yaml, in which the commands are typed."""
    random = np.random.default_rng(0)
    age = random.normal(60, 8, 80)
    duration = 400 * random.exponential(np.exp(-0.15 * (age - 60)))
    censoring = random.uniform(100, 1500, 80)
    pd.DataFrame(
        {
            "id": [f"s{k}" for k in range(80)],
            "age": age,
            "days": np.minimum(duration, censoring) + 1,
            "event": (duration <= censoring).astype(int),
        }
    ).to_csv(tmp_path / "patients.csv", index=False)
    cohort = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["age"]}},
    }
    (tmp_path / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


def survkit(line: str) -> int:
    return main(line.split())


def test_fit_then_predict(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Older subjects live shorter, survival falls with time, and with one cause they add up to
    1.
    """
    assert survkit("fit recipe.yaml --cohort cohort.yaml --out runs/a --seed 3 --quiet") == 0
    assert "gradient: one-graph" in capsys.readouterr().out
    assert survkit("predict runs/a --cohort cohort.yaml --times 100,300 --out p.csv") == 0

    table = pd.read_csv("p.csv")
    assert list(table.columns) == ["subject", "risk_score", "survival@100", "survival@300"]
    assert (table["survival@100"] >= table["survival@300"]).all()
    age = pd.read_csv("patients.csv")["age"]
    assert np.corrcoef(age.rank(), table["risk_score"].rank())[0, 1] > 0.99


def test_predictions_of_others_are_evaluated(
    workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """External validation: what predict writes with the outcome is what evaluate reads."""
    assert survkit("fit recipe.yaml --cohort cohort.yaml --out runs/a --quiet") == 0
    line = "predict runs/a --cohort cohort.yaml --times 100,300 --with-outcome --out other.csv"
    assert survkit(line) == 0
    capsys.readouterr()
    assert survkit("evaluate other.csv --unit days --replicates 0 --json") == 0

    found = json.loads(capsys.readouterr().out)["causes"]["event"]["metrics"]
    table = pd.read_csv("other.csv")
    target = SurvivalTarget(
        torch.from_numpy(table["duration"].to_numpy()), torch.from_numpy(table["event"].to_numpy())
    )
    score = torch.from_numpy(table["risk_score"].to_numpy())
    expected = harrell_concordance(score.double(), target, tau=300.0)
    assert isinstance(expected, Estimate)
    assert found["harrell_concordance_within_folds"]["pooled"]["value"] == expected.value


def test_cv_by_site_tests_whole_sites(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No site is in a training and a test part of one fold; two divisions at once are refused."""
    table = pd.read_csv("patients.csv")
    table["hospital"] = [f"h{row % 4}" for row in range(len(table))]
    table.to_csv("patients.csv", index=False)
    cohort = yaml.safe_load(Path("cohort.yaml").read_text())
    Path("cohort.yaml").write_text(yaml.safe_dump(cohort | {"site": "hospital"}))
    line = "cv recipe.yaml --cohort cohort.yaml --folds 2 --replicates 0 --quiet --by-site"
    assert survkit(f"{line} --out runs/sites") == 0

    found = pd.read_parquet("runs/sites/predictions.parquet")
    assert found.groupby("site")["fold"].nunique().tolist() == [1, 1, 1, 1]
    assert survkit(f"{line} --out runs/b --splits runs/sites/splits.json") == 2
    assert "give --splits or --by-site" in capsys.readouterr().err


def test_cv_prints_what_it_found(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The headline is the concordance of the out-of-fold predictions, clearly better than
    chance.
    """
    line = "cv recipe.yaml --cohort cohort.yaml --out runs/cv --folds 3 --replicates 20 --quiet"
    assert survkit(line) == 0

    printed = capsys.readouterr().out
    assert "runs/cv/report.html" in printed
    metrics = json.loads(Path("runs/cv/metrics.json").read_text())
    assert metrics["causes"]["death"]["metrics"][HARRELL]["pooled"]["value"] > 0.6
    assert survkit(f"{line} --splits runs/cv/splits.json --overwrite") == 0


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fit recipe.yaml --cohort nowhere.yaml --out r", "nowhere.yaml"),
        ("fit nowhere.yaml --cohort cohort.yaml --out r", "nowhere.yaml"),
        ("fit recipe.yaml --cohort cohort.yaml --out patients.csv", "something is there already"),
        ("fit recipe.yaml --cohort cohort.yaml --out r --resume", "no interrupted run to resume"),
        ("fit recipe.yaml --cohort cohort.yaml --out r --resume --overwrite", "not both"),
        ("fit recipe.yaml --cohort cohort.yaml --out r --set outcome.unit=months", "speaks of"),
        ("fit recipe.yaml --cohort cohort.yaml --out r --set head=deephit", "log-hazard"),
        (
            "fit recipe.yaml --cohort cohort.yaml --out r --set training.precision=8",
            "training.precision",
        ),
        ("cv recipe.yaml --cohort cohort.yaml --out r --folds 79", "cannot be spread"),
        ("predict nowhere --cohort cohort.yaml", "no config.json is there"),
        ("predict nowhere --cohort cohort.yaml --out p.xlsx", ".csv or .parquet"),
        ("predict nowhere --cohort cohort.yaml --out patients.csv", "is there already"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(
    line: str, message: str, workplace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback, no half-made folder; the line says what is wrong."""
    assert survkit(line) == 2

    printed = capsys.readouterr().err
    assert message in printed
    assert printed.count("\n") == 1
    assert not (workplace / "r" / "model.safetensors").exists()


def test_wrong_times_are_refused(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Times must be numbers up to the last that the model knows."""
    assert survkit("fit recipe.yaml --cohort cohort.yaml --out runs/a --quiet") == 0

    assert survkit("predict runs/a --cohort cohort.yaml --times soon") == 2
    assert survkit("predict runs/a --cohort cohort.yaml --times 99999") == 2
    printed = capsys.readouterr().err
    assert "numbers separated by commas" in printed
    assert "99999 was asked" in printed
