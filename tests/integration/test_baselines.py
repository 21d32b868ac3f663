"""A baseline in the same folds as a network: the run folder, the comparison, what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.cli import main
from survkit.data import Cohort
from survkit.evaluation import Predictions
from survkit.recipe import Recipe
from survkit.training import cross_validate

RIDGE: dict[str, Any] = {
    "title": "ridge",
    "baseline": {"use": "ridge-cox", "penalties": [10.0, 1.0]},
    "inputs": ["clinical"],
    "outcome": {"horizon": 300},
}
NEURAL: dict[str, Any] = {
    "title": "linear",
    "encoders": {"clinical": {"use": "tabular", "dim": None}},
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox"],
    "training": {"epochs": 2, "micro_batch": 64, "accelerator": "cpu"},
}


def survkit(line: str) -> int:
    return main(line.split())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of the baseline and one of a network."""
    folder = tmp_path_factory.mktemp("baselines")
    random = np.random.default_rng(0)
    age = random.normal(60, 8, 90)
    duration = 400 * random.exponential(np.exp(-0.15 * (age - 60)))
    censoring = random.uniform(100, 1500, 90)
    pd.DataFrame(
        {
            "id": [f"s{k}" for k in range(90)],
            "age": age,
            "days": np.minimum(duration, censoring) + 1,
            "event": (duration <= censoring).astype(int),
        }
    ).to_csv(folder / "patients.csv", index=False)
    cohort = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": ["age"]}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(cohort))
    (folder / "ridge.yaml").write_text(yaml.safe_dump(RIDGE))
    (folder / "neural.yaml").write_text(yaml.safe_dump(NEURAL))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        for name in ("ridge", "neural"):
            line = f"cv {name}.yaml --cohort cohort.yaml --out {name} --folds 3 --replicates 20"
            assert survkit(f"{line} --quiet") == 0
    return folder


@pytest.fixture
def place(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(finished, tmp_path / "place")
    monkeypatch.chdir(tmp_path / "place")
    return tmp_path / "place"


def test_the_run_folder_is_a_networks_without_a_model(finished: Path) -> None:
    """The same files, nothing to load, and what was chosen and by which versions."""
    run = finished / "ridge"
    files = {str(path.relative_to(run)) for path in run.rglob("*") if path.is_file()}

    shared = {"recipe.yaml", "run.json", "splits.json", "cohort.yaml", "choices.json"}
    shared |= {"predictions.parquet", "metrics.json", "report.html"}
    folds = {
        f"fold-{k}/{name}" for k in range(3) for name in ("predictions.parquet", "choice.json")
    }
    assert files >= shared | folds
    assert not any(name.endswith((".safetensors", ".pt", ".pkl", "config.json")) for name in files)
    assert set(json.loads((run / "run.json").read_text())["software"]) == {
        "scikit-survival", "scikit-learn",
    }  # fmt: skip
    choice = json.loads((run / "choices.json").read_text())["fold-0"]
    assert choice["chosen"]["baseline.penalty"] in (1.0, 10.0)
    scores = json.loads((run / "fold-0" / "choice.json").read_text())["scores"]
    assert [each["values"]["baseline.penalty"] for each in scores] == [10.0, 1.0]
    page = (run / "report.html").read_text()
    assert "In an inner cross-validation of the training part of each fold" in page
    assert "epochs" not in page


def test_the_division_is_that_of_the_network(finished: Path) -> None:
    """The same seed and folds give one division, so that the runs can be compared."""
    tables = [
        Predictions.read(finished / name / "predictions.parquet") for name in ("ridge", "neural")
    ]

    assert tables[0].splits_hash == tables[1].splits_hash
    np.testing.assert_array_equal(tables[0].subject, tables[1].subject)
    assert tables[0].model == "ridge"


def test_compare_puts_them_side_by_side(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name for each, one table."""
    assert survkit("compare ridge=ridge deep=neural --metric harrell") == 0

    printed = capsys.readouterr().out
    assert "ridge" in printed
    assert "deep" in printed


@pytest.mark.parametrize("model", ["ridge", "ridge/fold-0"])
def test_there_is_no_model_to_predict_with(
    place: Path, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    """The sentence says why and what can be read instead."""
    assert survkit(f"predict {model} --cohort cohort.yaml") == 2

    said = capsys.readouterr().err
    assert "holds no model: baselines are fitted anew in every fold" in said
    assert "predictions.parquet" in said


def test_fit_and_prepare_say_that_there_is_nothing_to_keep(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And write nothing."""
    assert survkit("fit ridge.yaml --cohort cohort.yaml --out fitted") == 2
    assert "fitted anew in every fold and never stored" in capsys.readouterr().err
    assert not Path("fitted").exists()
    assert survkit("prepare ridge.yaml --cohort cohort.yaml") == 2
    assert "nothing to prepare" in capsys.readouterr().err


def test_an_interrupted_run_goes_on_where_it_stopped(place: Path) -> None:
    """Finished folds are read, not fitted again; the result is that of the whole run."""
    before = Predictions.read("ridge/predictions.parquet")
    first = Path("ridge/fold-0/predictions.parquet").stat().st_mtime_ns
    for name in ("predictions.parquet", "metrics.json", "report.html", "choices.json"):
        Path("ridge", name).unlink()
    Path("ridge/fold-2/predictions.parquet").unlink()

    run = cross_validate(
        Recipe.read("ridge.yaml"), Cohort.read("cohort.yaml"), "ridge", folds=3, replicates=0,
        resume=True,
    )  # fmt: skip

    assert run.predictions.fingerprint() == before.fingerprint()
    assert set(run.choices) == {"fold-0", "fold-1", "fold-2"}
    assert Path("ridge/fold-0/predictions.parquet").stat().st_mtime_ns == first


def test_a_horizon_that_training_never_reached_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step functions are not extrapolated: the sentence says how far training goes."""
    line = "cv ridge.yaml --cohort cohort.yaml --out far --folds 3 --set outcome.horizon=9000"

    assert survkit(line) == 2

    assert "no training subject was followed for longer than" in capsys.readouterr().err
    assert not Path("far").exists()
