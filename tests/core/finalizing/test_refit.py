"""The refit is the run's recipe on all subjects, for as long as the folds' validation chose."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tests.core.finalizing.toy import read_cohort, recipe, write_cohort
from tests.hub_server.small_model import contents

import survkit
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, RunError
from survkit.training import cross_validate


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model.safetensors")


def assert_equal_weights(one: Path, two: Path) -> None:
    found, expected = weights(one), weights(two)
    assert {*found} == {*expected}
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


def say_best_epochs(run: Path, epochs: dict[str, list[int]]) -> None:
    """Write down other choices of the folds than those they made."""
    for name, best in epochs.items():
        path = run / name / "training.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"best_epoch": best}))


@pytest.fixture
def bent(run: Path, tmp_path: Path) -> Path:
    """A copy of the run whose folds say that they chose 1, 2, 3 and 4 epochs: 2.5 in the mean."""
    shutil.copytree(run, tmp_path / "cv")
    best = {f"fold-{k // 2}-{k % 2}": [k] for k in range(4)}
    say_best_epochs(tmp_path / "cv", best)
    return tmp_path / "cv"


def test_it_is_the_fit_on_everybody(bent: Path, cohort: Cohort, tmp_path: Path) -> None:
    """Bit for bit that of the same recipe with no validation part and the mean of the epochs."""
    made = survkit.finalize(bent, tmp_path / "model", by="refit", cohort=cohort, progress=False)
    changes = ("training.validation=0", "training.epochs=3")
    survkit.fit(recipe(*changes), cohort, tmp_path / "fit", progress=False)
    facts = made.description.training

    assert_equal_weights(tmp_path / "model", tmp_path / "fit")
    loaded = survkit.from_pretrained(tmp_path / "model")
    assert loaded.description.training == facts
    assert (facts["train_subjects"], facts["validation_subjects"]) == (48, 0)
    assert facts["seed"] == [0]
    assert facts["final"] == {
        "by": "refit", "folds": 2, "repeats": 2, "run": "cv",
        "splits_sha256": json.loads((bent / "splits.json").read_text())["sha256"],
        "fold_epochs": {"fold-0-0": [1], "fold-0-1": [2], "fold-1-0": [3], "fold-1-1": [4]},
    }  # fmt: skip


def test_the_folder_holds_the_model_and_nobody(bent: Path, cohort: Cohort, tmp_path: Path) -> None:
    """With the metrics of the run and the log of losses; no splits, nothing left beside it."""
    place = tmp_path / "out" / "model"
    survkit.finalize(bent, place, by="refit", cohort=cohort, progress=False)
    files = contents(place)

    assert {*files} == {"config.json", "model.safetensors", "metrics.json", "log.csv"}
    assert files["metrics.json"] == (bent / "metrics.json").read_bytes()
    assert len(files["log.csv"].splitlines()) == 1 + 3
    assert not any(re.search(rb"patient-\d", content) for content in files.values())
    assert [path.name for path in place.parent.iterdir()] == ["model"]


def test_only_the_cohort_of_the_run_will_do(run: Path, tmp_path: Path) -> None:
    """One value changed, or none given: said before anything trains."""
    path = write_cohort(tmp_path / "data")
    table = path.with_name("patients.csv")
    text = table.read_text()
    changed = text.replace("high", "low", 1)
    assert changed != text
    table.write_text(changed)

    with pytest.raises(DataError, match=r"is not the cohort of .*/cv: .* unchanged"):
        survkit.finalize(run, tmp_path / "model", by="refit", cohort=Cohort.read(path))
    with pytest.raises(ConfigError, match="give it with --cohort"):
        survkit.finalize(run, tmp_path / "model", by="refit")
    assert {one.name for one in tmp_path.iterdir()} == {"data"}


def test_the_same_files_elsewhere_are_the_same_cohort(run: Path, tmp_path: Path) -> None:
    """What counts is the content."""
    moved = read_cohort(tmp_path / "moved")
    survkit.finalize(run, tmp_path / "model", by="refit", cohort=moved, progress=False)

    assert (tmp_path / "model" / "config.json").is_file()


def test_an_interrupted_refit_goes_on(
    run: Path, cohort: Cohort, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To the weights of the uninterrupted one; meanwhile no model is there, and nothing is begun
    anew unasked.
    """
    given: dict[str, Any] = {"by": "refit", "cohort": cohort, "progress": False}
    survkit.finalize(run, tmp_path / "whole", **given)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("survkit.training.fit_part.fit_baseline", interrupt)
        with pytest.raises(KeyboardInterrupt):
            survkit.finalize(run, tmp_path / "model", **given)
    assert not (tmp_path / "model").exists()
    with pytest.raises(RunError, match="an interrupted refit lies there; give --resume"):
        survkit.finalize(run, tmp_path / "model", **given)
    survkit.finalize(run, tmp_path / "model", resume=True, **given)

    assert contents(tmp_path / "model").keys() == contents(tmp_path / "whole").keys()
    assert_equal_weights(tmp_path / "model", tmp_path / "whole")
    assert {one.name for one in tmp_path.iterdir()} == {"model", "whole"}
    with pytest.raises(RunError, match="no interrupted refit to resume"):
        survkit.finalize(run, tmp_path / "other", resume=True, **given)


def test_it_starts_from_what_the_folds_started_from(tmp_path: Path) -> None:
    """Given that very model, and refused with any other or with none."""
    old, new = read_cohort(tmp_path / "old", seed=8, name="old"), read_cohort(tmp_path / "new")
    short = recipe("training.epochs=1", "outcome.grid={kind: uniform, intervals: 4}")
    for name, seed in (("source", 0), ("other", 1)):
        survkit.fit(short, old, tmp_path / name, seed=seed, progress=False)
    start: dict[str, Any] = {"init_parts": ("head",), "freeze": ("head",)}
    cross_validate(
        short, new, tmp_path / "cv", folds=2, replicates=0, progress=False,
        init_from=tmp_path / "source", different_subjects=True, **start,
    )  # fmt: skip
    given: dict[str, Any] = {"by": "refit", "cohort": new, "progress": False}

    with pytest.raises(ConfigError, match="started from trained weights; say from which model"):
        survkit.finalize(tmp_path / "cv", tmp_path / "model", **given)
    with pytest.raises(ConfigError, match="is not the model that the folds of"):
        survkit.finalize(tmp_path / "cv", tmp_path / "model", init_from=tmp_path / "other", **given)
    survkit.finalize(tmp_path / "cv", tmp_path / "model", init_from=tmp_path / "source", **given)
    whole = short.with_value("training.validation", 0.0)
    survkit.fit(
        whole, new, tmp_path / "fit", progress=False, init_from=tmp_path / "source", **start
    )
    assert_equal_weights(tmp_path / "model", tmp_path / "fit")
    found, source = weights(tmp_path / "model"), weights(tmp_path / "source")
    heads = [name for name in found if ".head." in name]
    assert heads
    assert all(torch.equal(found[name], source[name]) for name in heads)


def test_a_start_that_is_none_of_the_run_is_refused(
    run: Path, cohort: Cohort, tmp_path: Path
) -> None:
    """Folds that started as the recipe says, and folds that started from weights of their own."""
    bent = tmp_path / "cv"
    shutil.copytree(run, bent)
    given: dict[str, Any] = {"by": "refit", "cohort": cohort, "init_from": run / "fold-0-0"}
    with pytest.raises(ConfigError, match="started as the recipe says"):
        survkit.finalize(bent, tmp_path / "model", **given)
    facts = json.loads((bent / "run.json").read_text())
    own = {f"fold-0-{k}": str(k) * 64 for k in range(2)}
    facts["init"] = {"weights": own, "parts": [], "freeze": []}
    (bent / "run.json").write_text(json.dumps(facts))
    with pytest.raises(ConfigError, match="each fold started from weights of its own"):
        survkit.finalize(bent, tmp_path / "model", **given)
