"""From a table to a trained, saved, cross-validated model, and nothing leaks on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

import survkit
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, RunError, UnknownComponentError
from survkit.recipe import Recipe
from survkit.training.cross_validate import cross_validate
from survkit.training.fit import fit

COLUMNS = ["age", "marker", "stage"]


def write_cohort(
    folder: Path, *, subjects: int = 60, change: Callable[..., None] | None = None
) -> Path:
    """Write a cohort whose hazard grows with age; ``change`` may bend the table before it is
    written.
    """
    random = np.random.default_rng(4)
    age, marker = random.normal(60, 8, subjects), random.normal(size=subjects)
    duration = 400 * random.exponential(np.exp(-0.12 * (age - 60)))
    censoring = random.uniform(100, 1500, subjects)
    table = pd.DataFrame(
        {
            "patient_id": [f"p{k:03d}" for k in range(subjects)],
            "age": age.round(3),
            "marker": marker.round(4),
            "stage": random.choice(["I", "II", "III"], subjects),
            "time_days": np.minimum(duration, censoring).round(2) + 1,
            "event": (duration <= censoring).astype(int),
        }
    )
    if change is not None:
        change(table)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "patients.csv", index=False)
    config = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "patient_id",
        "outcome": {
            "duration": "time_days",
            "unit": "days",
            "event": "event",
            "causes": {1: "death"},
        },
        "modalities": {"clinical": {"kind": "table", "columns": COLUMNS}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    return folder / "cohort.yaml"


def recipe(*overrides: str, head: str = "cox", loss: str = "cox") -> Recipe:
    data = {
        "title": "toy",
        "encoders": {"clinical": {"use": "tabular", "hidden": [8], "dim": 4, "dropout": 0.2}},
        "head": {"use": head},
        "outcome": {"horizon": 300, "grid": {"kind": "quantile", "intervals": 4}},
        "objective": [{"use": loss}],
        "training": {"epochs": 3, "micro_batch": 16, "risk_set": 32, "accelerator": "cpu"},
    }
    return Recipe.parse(data, source="test", overrides=list(overrides))


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    return Cohort.read(write_cohort(tmp_path / "data"))


def curves(fitted: Any, cohort: Cohort) -> torch.Tensor:
    return fitted.predict(cohort).survival([50.0, 150.0, 300.0])


@pytest.mark.parametrize(
    ("head", "loss"), [("cox", "cox"), ("deephit", "deephit-likelihood"), ("weibull", "weibull")]
)
def test_saved_and_loaded_curves_are_equal_bit_for_bit(
    head: str, loss: str, cohort: Cohort, tmp_path: Path
) -> None:
    """Baseline, scalers, levels and grid travel with the weights."""
    fitted = fit(recipe(head=head, loss=loss), cohort, tmp_path / "run", progress=False)

    loaded = survkit.from_pretrained(tmp_path / "run")

    assert torch.equal(curves(fitted, cohort), curves(loaded, cohort))
    written = json.loads(json.dumps(fitted.description.to_json()))
    assert json.loads(json.dumps(loaded.description.to_json())) == written
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert config["components"]["head"]["use"] == f"survkit/{head}"
    assert config["components"]["head"]["distribution"] == "survkit-core"
    assert not (tmp_path / "run" / "checkpoint").exists()


def test_members_are_averaged_and_saved(cohort: Cohort, tmp_path: Path) -> None:
    """The ensemble's curve is the mean of its differently seeded members', also after loading."""
    fitted = fit(recipe("training.members=2"), cohort, tmp_path / "run", progress=False)
    loaded = survkit.from_pretrained(tmp_path / "run")

    whole = curves(loaded, cohort)
    assert torch.equal(whole, curves(fitted, cohort))
    first, second = (type(fitted)((one,), fitted.description) for one in fitted.members)
    alone = torch.stack([curves(first, cohort), curves(second, cohort)])
    assert not torch.equal(alone[0], alone[1])
    torch.testing.assert_close(whole, alone.mean(0))


def test_the_same_seed_gives_the_same_file(cohort: Cohort, tmp_path: Path) -> None:
    """Two runs leave the same bytes of weights; another seed does not."""
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        fit(recipe(), cohort, tmp_path / name, seed=seed, progress=False)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")

    assert a == b
    assert a != c


def test_test_subjects_change_nothing_that_is_fitted(tmp_path: Path) -> None:
    """Bending data and outcomes of a fold's test subjects leaves weights, scalers, levels, grid
    alike.

    The division is given, since a stratified one would look at the outcomes.
    """
    plain = Cohort.read(write_cohort(tmp_path / "plain"))
    first = cross_validate(recipe(), plain, tmp_path / "run", folds=3, replicates=0, progress=False)
    splits = json.loads((tmp_path / "run" / "splits.json").read_text())
    test = set(splits["folds"][0]["test"])

    def bend(table: pd.DataFrame) -> None:
        chosen = table["patient_id"].isin(test)
        table.loc[chosen, "age"] = 1e4
        table.loc[chosen, "stage"] = "unheard of"
        table.loc[chosen, "time_days"] = 7.0
        table.loc[chosen, "event"] = 1 - table.loc[chosen, "event"]

    bent = Cohort.read(write_cohort(tmp_path / "bent", change=bend))
    given = survkit.data.Splits.read(tmp_path / "run" / "splits.json", subjects=bent.subjects)
    cross_validate(recipe(), bent, tmp_path / "again", splits=given, replicates=0, progress=False)

    def model(run: str, fold: int) -> tuple[bytes, Any]:
        folder = tmp_path / run / f"fold-{fold}"
        config = json.loads((folder / "config.json").read_text())
        return (folder / "model.safetensors").read_bytes(), (config["outcome"], config["inputs"])

    assert model("run", 0) == model("again", 0)
    assert model("run", 1)[0] != model("again", 1)[0]  # there they are training subjects
    assert first.predictions.subjects == len(plain)


def test_run_folder_holds_what_the_design_says(cohort: Cohort, tmp_path: Path) -> None:
    """Recipe, splits, folds with model and log, predictions, metrics and report."""
    result = cross_validate(
        recipe(), cohort, tmp_path / "run", folds=3, repeats=2, replicates=20, progress=False
    )

    run = tmp_path / "run"
    for name in (
        "recipe.yaml",
        "splits.json",
        "predictions.parquet",
        "metrics.json",
        "report.html",
    ):
        assert (run / name).is_file(), name
    folds = sorted(path.name for path in run.glob("fold-*"))
    assert folds == [f"fold-{repeat}-{fold}" for repeat in range(2) for fold in range(3)]
    assert all((run / fold / "log.csv").is_file() for fold in folds)
    assert Recipe.read(run / "recipe.yaml") == recipe()
    assert len(result.predictions) == 2 * len(cohort)
    assert result.predictions.splits_hash == json.loads((run / "splits.json").read_text())["sha256"]


def test_an_interrupted_run_resumes_to_the_same_predictions(cohort: Cohort, tmp_path: Path) -> None:
    """Finished folds are kept, lost ones are trained again, and another recipe is refused."""
    cross_validate(recipe(), cohort, tmp_path / "run", folds=3, replicates=0, progress=False)
    predictions = (tmp_path / "run" / "predictions.parquet").read_bytes()
    kept = (tmp_path / "run" / "fold-0" / "config.json").stat().st_mtime_ns
    shutil.rmtree(tmp_path / "run" / "fold-1")
    (tmp_path / "run" / "fold-2" / "predictions.parquet").unlink()

    cross_validate(
        recipe(), cohort, tmp_path / "run", folds=3, replicates=0, progress=False, resume=True
    )

    assert (tmp_path / "run" / "predictions.parquet").read_bytes() == predictions
    assert (tmp_path / "run" / "fold-0" / "config.json").stat().st_mtime_ns == kept
    with pytest.raises(RunError, match=r"another recipe \(training\.epochs: 3, now 4\)"):
        cross_validate(recipe("training.epochs=4"), cohort, tmp_path / "run", folds=3, resume=True)


def test_a_run_is_replaced_only_when_asked_and_only_once_complete(
    cohort: Cohort, tmp_path: Path
) -> None:
    """Without --overwrite it is refused; a failing overwrite leaves the old run as it was."""
    run = tmp_path / "run"
    fit(recipe(), cohort, run, progress=False)
    before = (run / "model.safetensors").read_bytes()

    with pytest.raises(RunError, match="give --overwrite"):
        fit(recipe(), cohort, run, progress=False)
    broken = recipe("training.optimizer.use=sgd", "training.optimizer.lr=1e30")
    with pytest.raises(RunError, match=r"not finite|became"):
        fit(broken, cohort, run, overwrite=True, progress=False)
    assert (run / "model.safetensors").read_bytes() == before
    fit(recipe(), cohort, run, overwrite=True, seed=9, progress=False)
    assert (run / "model.safetensors").read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "run"]


def test_a_folder_that_is_no_run_is_never_overwritten(cohort: Cohort, tmp_path: Path) -> None:
    """Somebody's documents are not a run."""
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")

    with pytest.raises(RunError, match="not a run of survkit"):
        fit(recipe(), cohort, tmp_path / "thesis", overwrite=True, progress=False)
    with pytest.raises(RunError, match="no interrupted run"):
        fit(recipe(), cohort, tmp_path / "nothing", resume=True, progress=False)


def test_search_chooses_on_the_inner_validation_part(cohort: Cohort, tmp_path: Path) -> None:
    """The better learning rate wins in every fold, and the choice is written down with all
    scores.
    """
    chosen = recipe("training.monitor=loss", "search={training.optimizer.lr: [1.0e-9, 0.01]}")

    result = cross_validate(chosen, cohort, tmp_path / "run", folds=2, replicates=0, progress=False)

    assert json.loads((tmp_path / "run" / "choices.json").read_text()) == result.choices
    for fold in ("fold-0", "fold-1"):
        scores = [one["score"] for one in result.choices[fold]["scores"]]
        assert result.choices[fold]["number"] == int(np.argmin(scores))
        assert not (tmp_path / "run" / fold / "candidates").exists()
        survkit.from_pretrained(tmp_path / "run" / fold)


@pytest.mark.slow
def test_folds_in_parallel_give_the_same_predictions(cohort: Cohort, tmp_path: Path) -> None:
    """Two processes and one leave the same file."""
    for jobs in (1, 2):
        cross_validate(
            recipe(), cohort, tmp_path / str(jobs), folds=2, jobs=jobs, replicates=0, progress=False
        )

    one, two = ((tmp_path / str(jobs) / "predictions.parquet").read_bytes() for jobs in (1, 2))
    assert one == two


def test_horizon_and_unit_must_fit_the_cohort(cohort: Cohort, tmp_path: Path) -> None:
    """Nothing is said beyond the follow-up of training, and days are never read as months."""
    with pytest.raises(ConfigError, match="no training subject was followed for longer"):
        fit(recipe("outcome.horizon=9000"), cohort, tmp_path / "a", progress=False)
    with pytest.raises(ConfigError, match="speaks of months"):
        fit(recipe("outcome.unit=months"), cohort, tmp_path / "b", progress=False)


def test_damaged_models_are_refused(cohort: Cohort, tmp_path: Path) -> None:
    """Altered weights, NaN, missing files, unknown components and lost tensors each say what to
    do.
    """
    run = tmp_path / "run"
    fitted = fit(recipe(), cohort, run, progress=False)

    def altered(name: str, change: Callable[[Path], None]) -> Path:
        folder = tmp_path / name
        shutil.copytree(run, folder)
        change(folder)
        return folder

    def cut(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"short")

    def rename(folder: Path) -> None:
        text = (folder / "config.json").read_text()
        (folder / "config.json").write_text(text.replace("survkit/cox", "elsewhere/cox"))

    with pytest.raises(RunError, match="altered or cut off"):
        survkit.from_pretrained(altered("cut", cut))
    with pytest.raises(UnknownComponentError, match="pip install survkit-core"):
        survkit.from_pretrained(altered("renamed", rename))
    with pytest.raises(RunError, match=r"no config\.json is there"):
        survkit.from_pretrained(tmp_path)
    next(fitted.members[0].parameters()).data[0] = torch.nan
    with pytest.raises(RunError, match="hold NaN or infinite"):
        survkit.save_pretrained(fitted, tmp_path / "nan")
    assert not (tmp_path / "nan").exists()


def test_a_cohort_without_the_modality_is_refused(cohort: Cohort, tmp_path: Path) -> None:
    """The message names the modality that the model needs."""
    fitted = fit(recipe(), cohort, tmp_path / "run", progress=False)
    path = write_cohort(tmp_path / "other")
    path.write_text(path.read_text().replace("clinical:", "laboratory:"))

    with pytest.raises(DataError, match="needs the modality 'clinical'"):
        fitted.predict(Cohort.read(path))
