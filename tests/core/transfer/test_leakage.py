"""No subject is tested by weights that have seen it, however they came to be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from survkit.data import Cohort, Splits, make_splits
from survkit.errors import DataError, RunError
from survkit.evaluation import Predictions
from survkit.registry import Registry
from survkit.training import cross_validate, fit

from .conftest import STILL, recipe, write_cohort


@pytest.fixture
def cv(tmp_path: Path, registry: Registry) -> Any:
    """Cross-validate from given weights without moving them."""

    def run(cohort: Cohort, source: Any, **options: Any) -> Any:
        return cross_validate(
            recipe(training=STILL), cohort, tmp_path / "out", init_from=source, registry=registry,
            **({"folds": 3, "replicates": 0, "progress": False} | options),
        )  # fmt: skip

    return run


def test_folds_of_the_same_splits_start_from_their_own_and_predict_alike(
    home: Path, old: Cohort, cv: Any
) -> None:
    """Frozen features and a head that does not move give the source's out-of-fold predictions:
    each fold had its own weights.
    """
    found = cv(old, home / "run", splits=Splits.read(home / "run/splits.json",
                                                     subjects=old.subjects),
               freeze=["encoders.clinical"])  # fmt: skip

    assert [each["source"] for each in found.starts.values()] == [
        f"run:fold-{number}" for number in range(3)
    ]
    before = Predictions.read(home / "run/predictions.parquet")
    np.testing.assert_allclose(found.predictions.risk_score, before.risk_score, atol=1e-6)
    assert all(each["validation_seen"] for each in found.starts.values())  # it chose the epoch


def test_another_division_of_the_same_cohort_is_refused_with_the_number(
    home: Path, old: Cohort, cv: Any, tmp_path: Path
) -> None:
    """The best fold has seen most of the new test subjects; nothing is left behind."""
    splits = make_splits(old, folds=3, seed=7)
    scores = [json.loads((home / f"run/fold-{k}/training.json").read_text())["score"]
              for k in range(3)]  # fmt: skip
    best = int(np.argmax(scores))
    source = Splits.read(home / "run/splits.json", subjects=old.subjects).folds[best]
    seen = {*source.train, *source.validation} & {*splits.folds[0].test}

    with pytest.raises(DataError, match=rf"fold-0: {len(seen)} of the 14 test subjects.*run:fold-"):
        cv(old, home / "run", splits=splits)
    with pytest.raises(DataError, match="test subjects are among those that"):
        cv(old, home / "run", splits=splits, different_subjects=True)
    assert not (tmp_path / "out").exists()


def test_a_fold_of_the_same_splits_serves_no_other_fold(home: Path, old: Cohort, cv: Any) -> None:
    """Fold 1's model has seen the test subjects of fold 0."""
    with pytest.raises(DataError, match="repeat-0-fold-0: 14 of the 14 test subjects"):
        cv(old, f"{home}/run:fold-1")


def test_a_model_of_the_whole_cohort_is_refused(
    home: Path, old: Cohort, cv: Any, tmp_path: Path, registry: Registry
) -> None:
    """Survkit fit trains on everybody, and its validation part chose its epoch."""
    fit(recipe(training={"epochs": 1}), old, tmp_path / "all", progress=False, registry=registry)

    with pytest.raises(DataError, match="14 of the 14 test subjects"):
        cv(old, tmp_path / "all")


def test_leakage_through_a_training_in_between_is_refused(
    home: Path, old: Cohort, new: Cohort, cv: Any, tmp_path: Path, registry: Registry
) -> None:
    """Old subjects, then others, then the old ones as test subjects: the first weights knew
    them. Without the list beside the model the name of the cohort still tells.
    """
    options: dict[str, Any] = {"progress": False, "registry": registry}
    fit(recipe(training=STILL), old, tmp_path / "first", **options)
    fit(recipe(training=STILL), new, tmp_path / "second", init_from=tmp_path / "first", **options)
    facts = json.loads((tmp_path / "second/training.json").read_text())["init"]
    assert facts["cohorts"] == ["old"]
    fit(recipe(training=STILL), new, tmp_path / "third", init_from=tmp_path / "second", **options)

    with pytest.raises(DataError, match=r"14 of the 14 test subjects.*cohort 'old'"):
        cv(old, tmp_path / "third")
    (tmp_path / "third/initial.json").unlink()
    with pytest.raises(DataError, match=r"trained on a cohort named 'old'.*nobody can tell"):
        cv(old, tmp_path / "third")


def test_a_model_folder_without_its_run_is_known_by_the_cohort_alone(
    home: Path, old: Cohort, new: Cohort, cv: Any, tmp_path: Path
) -> None:
    """It was published: for its own cohort nobody can tell whom it saw; for another one it serves
    where the user says that its people are others, and that is written down.
    """
    shutil.copytree(home / "run/fold-0", tmp_path / "published")

    for others in (False, True):
        with pytest.raises(DataError, match=r"cohort named 'old'.*nobody can tell whom it has"):
            cv(old, tmp_path / "published", different_subjects=others)
    with pytest.raises(DataError, match=r"the cohort 'old', and no list .* --different-subjects"):
        cv(new, tmp_path / "published")
    found = cv(new, tmp_path / "published", different_subjects=True)

    assert [one["unknown_exposure"] for one in found.starts.values()] == [["old"]] * 3


def test_a_model_beside_splits_that_are_not_its_own_is_not_believed(
    home: Path, old: Cohort, cv: Any, tmp_path: Path
) -> None:
    """A fold copied into another run would be judged by the wrong list."""
    (tmp_path / "other").mkdir()
    shutil.copytree(home / "run/fold-0", tmp_path / "other/fold-0")
    make_splits(old, folds=3, seed=9).write(tmp_path / "other/splits.json")

    with pytest.raises(DataError, match="nobody can tell"):
        cv(old, f"{tmp_path}/other:fold-0")


def test_people_numbered_alike_must_be_said_to_be_others(
    home: Path, cv: Any, tmp_path: Path, registry: Registry
) -> None:
    """Another cohort with the same numbers is refused until the user says so; a renamed copy of
    the same file is not told apart by its name.
    """
    alike = Cohort.read(write_cohort(tmp_path / "alike", "alike", 5))

    with pytest.raises(DataError, match=r"are different people.*--different-subjects"):
        cv(alike, home / "run")
    assert cv(alike, home / "run", different_subjects=True).starts["fold-0"]["cohorts"] == ["old"]

    renamed = home / "old" / "renamed.yaml"
    content = yaml.safe_load((home / "old/cohort.yaml").read_text())
    renamed.write_text(yaml.safe_dump(content | {"name": "renamed"}))
    with pytest.raises(DataError, match="test subjects are among those"):
        cv(Cohort.read(renamed), home / "run", overwrite=True)


def test_a_search_on_subjects_that_were_seen_is_refused(
    home: Path, old: Cohort, tmp_path: Path, registry: Registry
) -> None:
    """Inner left-out subjects trained the weights, so that every candidate would look too good."""
    searched = recipe(search={"training.optimizer.lr": [0.01, 0.1]})
    splits = Splits.read(home / "run/splits.json", subjects=old.subjects)

    with pytest.raises(DataError, match=r"recipe.search chooses on inner folds"):
        cross_validate(
            searched, old, tmp_path / "out", splits=splits, init_from=home / "run",
            progress=False, registry=registry,
        )  # fmt: skip


def test_a_list_that_was_edited_is_refused(
    home: Path, old: Cohort, cv: Any, tmp_path: Path
) -> None:
    """Taking subjects off the list would hide leakage."""
    shutil.copytree(home / "run", tmp_path / "run")
    content = json.loads((tmp_path / "run/splits.json").read_text())
    content["folds"][0]["train"], content["folds"][0]["test"] = (
        content["folds"][0]["test"], content["folds"][0]["train"],
    )  # fmt: skip
    (tmp_path / "run/splits.json").write_text(json.dumps(content))

    with pytest.raises((DataError, RunError), match="changed since it was written"):
        cv(old, tmp_path / "run")


def test_other_images_of_the_same_patients_are_refused(
    tmp_path: Path, cv: Any, registry: Registry
) -> None:
    """Images have names of their own; the patients tell, also where a row is a patient."""

    def cohort(name: str, prefix: str, group: str | None) -> Cohort:
        path = write_cohort(tmp_path / name, name, 5, prefix)
        table = pd.read_csv(path.parent / "patients.csv")
        table["patient"] = [f"p{k // 2:02d}" for k in range(len(table))]
        if group is None:
            table["id"] = [f"p{k:02d}" for k in range(len(table))]
        table.to_csv(path.parent / "patients.csv", index=False)
        content = yaml.safe_load(path.read_text()) | ({"group": group} if group else {})
        path.write_text(yaml.safe_dump(content))
        return Cohort.read(path)

    options: dict[str, Any] = {"progress": False, "registry": registry}
    first = cohort("first", "a", "patient")
    fit(recipe(training=STILL), first, tmp_path / "source", **options)

    for other in (cohort("images", "b", "patient"), cohort("patients", "", None)):
        with pytest.raises(DataError, match=r"\d+ of the \d+ test subjects are among those that"):
            cv(other, tmp_path / "source")


def test_a_model_in_the_folder_of_another_fold_is_refused(
    home: Path, old: Cohort, cv: Any, tmp_path: Path
) -> None:
    """It has seen the test subjects of that fold, and its list of subjects is taken by the name."""
    run = shutil.copytree(home / "run", tmp_path / "bent")
    shutil.rmtree(run / "fold-1")
    shutil.copytree(run / "fold-0", run / "fold-1")
    splits = Splits.read(run / "splits.json", subjects=old.subjects)

    for source in (run, f"{run}:fold-1", run / "fold-1"):
        with pytest.raises(RunError, match="fold-1: holds the model of another fold"):
            cv(old, source, splits=splits)
