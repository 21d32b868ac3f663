"""The search chooses inside the training part, by inner cross-validation, and refits the winner."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file

from survkit.cli import main
from survkit.data import Cohort, make_splits
from survkit.errors import DivergedError
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.training import search
from survkit.training.fit import fit
from survkit.training.fit_part import Part
from survkit.training.inner_folds import inner_folds

SUBJECTS = 60


def write_cohort(folder: Path, change: Callable[[pd.DataFrame], None] | None = None) -> Path:
    """Write a cohort whose hazard grows with age and with nothing else."""
    random = np.random.default_rng(2)
    age = random.normal(size=SUBJECTS)
    duration = random.exponential(np.exp(-1.5 * age))
    censoring = random.uniform(0.2, 4.0, SUBJECTS)
    table = pd.DataFrame({"id": [f"s{k:02d}" for k in range(SUBJECTS)], "age": age.round(4)})
    for number in range(6):
        table[f"noise_{number}"] = random.normal(size=SUBJECTS).round(4)
    table["days"] = (1 + 100 * np.minimum(duration, censoring)).round(2)
    table["event"] = (duration <= censoring).astype(int)
    if change is not None:
        change(table)
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "patients.csv", index=False)
    columns = [name for name in table if name not in ("id", "days", "event")]
    config = {
        "name": "toy",
        "table": "patients.csv",
        "subject": "id",
        "outcome": {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}},
        "modalities": {"clinical": {"kind": "table", "columns": columns}},
    }
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    return folder / "cohort.yaml"


RATES = "search={training.optimizer.lr: [1.0e-9, 0.05]}"


def recipe(*overrides: str) -> Recipe:
    data = {
        "encoders": {"clinical": {"use": "tabular", "dim": None}},
        "head": {"use": "cox"},
        "outcome": {"horizon": 80},
        "objective": ["cox"],
        "training": {
            "epochs": 10,
            "micro_batch": 64,
            "accelerator": "cpu",
            "validation": 0,
            "search_folds": 2,
            "optimizer": {"use": "adam", "weight_decay": 0.1},
        },
    }
    return Recipe.parse(data, source="test", overrides=list(overrides))


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    return Cohort.read(write_cohort(tmp_path / "data"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def choice(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "choice.json").read_text())
    return found


@pytest.mark.parametrize("monitor", ["loss", "concordance", "antolini"])
def test_the_better_candidate_is_chosen(monitor: str, cohort: Cohort, tmp_path: Path) -> None:
    """A rate that learns beats one that does not, in the mean of every number over inner folds."""
    fit(recipe(RATES, f"training.monitor={monitor}"), cohort, tmp_path / "run", progress=False)
    found = choice(tmp_path / "run")
    idle, learnt = found["scores"]

    assert found["chosen"] == {"training.optimizer.lr": 0.05}
    assert learnt["loss"] < idle["loss"]
    assert learnt["concordance"] > max(0.7, idle["concordance"])
    for one in (idle, learnt):
        assert one["score"] == one[monitor]
        for name in {"loss", "concordance", monitor}:
            assert len(one["folds"][name]) == 2
            assert one[name] == pytest.approx(np.mean(one["folds"][name]))
    assert not (tmp_path / "run" / "candidates").exists()


def test_useless_columns_are_shrunk(tmp_path: Path) -> None:
    """With forty columns of noise and few subjects, the stronger of two penalties is chosen."""

    def drown(table: pd.DataFrame) -> None:
        random = np.random.default_rng(5)
        for number in range(40):
            table[f"more_{number}"] = random.normal(size=len(table)).round(4)

    cohort = Cohort.read(write_cohort(tmp_path / "data", drown))
    penalties = "search={training.optimizer.weight_decay: [0.0, 2.0]}"
    changes = ["training.optimizer.lr=0.1", "training.epochs=20", "training.monitor=loss"]
    fit(recipe(penalties, *changes), cohort, tmp_path / "run", progress=False)

    assert choice(tmp_path / "run")["chosen"] == {"training.optimizer.weight_decay": 2.0}


def test_the_winner_is_fitted_on_every_training_subject(cohort: Cohort, tmp_path: Path) -> None:
    """It is, bit for bit, the model of the recipe that has the chosen value from the start."""
    fit(recipe(RATES), cohort, tmp_path / "searched", progress=False)
    fit(recipe("training.optimizer.lr=0.05"), cohort, tmp_path / "plain", progress=False)
    facts = json.loads((tmp_path / "searched" / "training.json").read_text())

    assert (facts["train_subjects"], facts["validation_subjects"]) == (SUBJECTS, 0)
    searched, plain = weights(tmp_path / "searched"), weights(tmp_path / "plain")
    assert searched.keys() == plain.keys()
    assert all(torch.equal(searched[name], plain[name]) for name in plain)


def test_with_a_validation_part_the_epoch_is_chosen_on_it(cohort: Cohort, tmp_path: Path) -> None:
    """Inner folds are of the other training subjects; refitting is as without a search."""
    share = "training.validation=0.2"
    fit(recipe(RATES, share), cohort, tmp_path / "searched", progress=False)
    fit(recipe("training.optimizer.lr=0.05", share), cohort, tmp_path / "plain", progress=False)

    assert choice(tmp_path / "searched")["number"] == 1
    plain = weights(tmp_path / "plain")
    assert all(torch.equal(weights(tmp_path / "searched")[name], plain[name]) for name in plain)
    facts = json.loads((tmp_path / "searched" / "training.json").read_text())
    assert (facts["train_subjects"], facts["validation_subjects"]) == (48, 12)


def test_reported_subjects_have_no_say(cohort: Cohort, tmp_path: Path) -> None:
    """Dealing outcomes and values of a fold's test subjects anew changes neither choice nor scores
    nor weights of that fold; where they are training subjects it does.
    """
    splits = make_splits(cohort, folds=2, seed=0, validation=0.0)
    first, second = (splits.rows(fold, cohort.subjects) for fold in splits.folds)
    test = {cohort.subjects[row] for row in first.test.tolist()}

    def bend(table: pd.DataFrame) -> None:
        rows = table.index[table["id"].isin(test)]
        order = np.random.default_rng(1).permutation(rows)
        for column in ("days", "event"):
            table.loc[rows, column] = table.loc[order, column].to_numpy()
        table.loc[rows, "age"] = -50.0

    bent = Cohort.read(write_cohort(tmp_path / "bent", bend))

    def searched(own: Cohort, train: torch.Tensor, name: str) -> dict[str, Any]:
        part = Part(
            recipe=recipe(RATES),
            cohort=own,
            train=train.tolist(),
            validation=(),
            seed=(0, 0, 0),
            splits_hash=splits.sha256,
            registry=default_registry(),
        )
        return search.fit_best(part, tmp_path / name)[1]

    assert searched(cohort, first.train, "a") == searched(bent, first.train, "b")
    one, two = weights(tmp_path / "a"), weights(tmp_path / "b")
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert searched(cohort, second.train, "c") != searched(bent, second.train, "d")


def test_inner_folds_divide_the_training_part(cohort: Cohort) -> None:
    """Everybody is left out once, events are spread evenly, and nobody else occurs."""
    train = [row for row in range(SUBJECTS) if row % 3]
    found = inner_folds(cohort, train, 4, seed=0)
    event = cohort.target(range(SUBJECTS)).event.numpy()

    assert sorted(row for fold in found for row in fold.left_out) == train
    for fold in found:
        assert sorted([*fold.train, *fold.left_out]) == train
    events = [int(event[fold.left_out].sum()) for fold in found]
    assert max(events) - min(events) <= 1


@pytest.mark.parametrize("call", [1, 4])
def test_an_interrupted_search_ends_with_the_same_choice_and_weights(
    call: int, cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped between two inner trainings, or before the refit."""
    whole = fit_once = search.fit_part
    fit(recipe(RATES), cohort, tmp_path / "whole", progress=False)
    calls = iter(range(100))

    def stopped(part: Any, folder: Path) -> Any:
        if next(calls) == call:
            raise KeyboardInterrupt
        return fit_once(part, folder)

    monkeypatch.setattr(search, "fit_part", stopped)
    with pytest.raises(KeyboardInterrupt):
        fit(recipe(RATES), cohort, tmp_path / "run", progress=False)
    monkeypatch.setattr(search, "fit_part", whole)
    fit(recipe(RATES), cohort, tmp_path / "run", resume=True, progress=False)

    assert choice(tmp_path / "run") == choice(tmp_path / "whole")
    one, two = weights(tmp_path / "run"), weights(tmp_path / "whole")
    assert all(torch.equal(one[name], two[name]) for name in two)
    assert not (tmp_path / "run" / "candidates").exists()


@pytest.mark.parametrize("folds", [1, 2])
def test_a_candidate_that_diverges_is_the_worst_and_is_named(
    folds: int, cohort: Cohort, tmp_path: Path
) -> None:
    """The run goes on with the others."""
    rates = "search={training.optimizer.lr: [1.0e30, 0.05]}"
    kind = "training.optimizer.use=sgd"
    more = [f"training.search_folds={folds}", "training.validation=0.2"]
    fit(recipe(rates, kind, *more), cohort, tmp_path / "run", progress=False)
    found = choice(tmp_path / "run")

    assert found["chosen"] == {"training.optimizer.lr": 0.05}
    assert found["scores"][0]["score"] is None
    assert "lower training.optimizer.lr" in found["scores"][0]["diverged"]


def test_a_search_of_which_all_diverge_has_diverged(cohort: Cohort, tmp_path: Path) -> None:
    """So that a choice between compositions counts it as worst, as one without a search."""
    rates = "search={training.optimizer.lr: [1.0e30, 1.0e31]}"
    with pytest.raises(DivergedError, match="all 2 candidates of the search diverged"):
        fit(recipe(rates, "training.optimizer.use=sgd"), cohort, tmp_path / "run", progress=False)


def test_a_damaged_choice_is_refused(
    cohort: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the cure, when the run is resumed."""
    (tmp_path / "r.yaml").write_text(recipe(RATES).to_yaml())
    line = f"fit {tmp_path}/r.yaml --cohort {tmp_path}/data/cohort.yaml --out {tmp_path}/run -q"
    assert main(line.replace("-q", "--quiet").split()) == 0
    (tmp_path / "run" / "choice.json").write_text("{")
    capsys.readouterr()

    assert main([*line.replace("-q", "--quiet").split(), "--resume"]) == 2
    assert "choice.json: damaged" in capsys.readouterr().err
