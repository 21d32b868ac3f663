"""What is refused before anything is computed, and that nothing of it is left behind."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from survkit.data import Cohort
from survkit.errors import ConfigError, DataError, PluginError, RunError, SurvkitError
from survkit.importance import importance_run
from survkit.importance import importance_run as run_module
from survkit.registry import Registry

QUICK: dict[str, Any] = {"repeats": 1, "replicates": 0}


def refused(place: Path, registry: Registry, run: str = "linear", **asked: Any) -> SurvkitError:
    """Return the error, after checking that no half result is there."""
    cohort = asked.pop("cohort", "cohort.yaml")
    with pytest.raises(SurvkitError) as caught:
        importance_run(
            place / run, Cohort.read(place / cohort), registry=registry, **{**QUICK, **asked}
        )
    assert not (place / run / "importance").exists()
    assert not (place / run / ".importance.new").exists()
    return caught.value


def test_a_baseline_keeps_no_model(place: Path, registry: Registry) -> None:
    """There is nothing to predict with, and the sentence says whose wish that was."""
    error = refused(place, registry, "baseline")

    assert isinstance(error, RunError)
    assert "feature importance predicts again with the model of each fold" in str(error)
    (place / "empty").mkdir()
    assert "feature importance needs a finished run" in str(refused(place, registry, "empty"))


def test_another_cohort(place: Path, registry: Registry) -> None:
    """Other subjects, other outcomes and other values are each refused by what differs."""
    table = pd.read_csv(place / "patients.csv", dtype=str, keep_default_na=False)
    content = yaml.safe_load((place / "cohort.yaml").read_text())
    for name, changed in (
        ("fewer", table[:-1]),
        ("outcome", table.assign(days=["7", *table["days"][1:]])),
        ("values", table.assign(crp=["99", *table["crp"][1:]])),
    ):
        changed.to_csv(place / f"{name}.csv", index=False)
        modalities = {"blood": content["modalities"]["blood"]}
        other = content | {"table": f"{name}.csv", "modalities": modalities}
        (place / f"{name}.yaml").write_text(yaml.safe_dump(other))

    assert "s119" in str(refused(place, registry, cohort="fewer.yaml"))
    outcome = str(refused(place, registry, cohort="outcome.yaml"))
    assert "duration or event of subject 's000'" in outcome
    values = refused(place, registry, cohort="values.yaml")
    assert isinstance(values, DataError)
    assert "now predicts a risk score" in str(values)


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("a: [crpp]", "group 'a': the model reads no column 'crpp'. Did you mean 'crp'?"),
        ("a: [age]", "reads no column 'age'. Known: crp, ldh, psa."),
        ("a: [crp, ldh]\nb: [crp]", "'crp' is in the group 'a' and in 'b'"),
        ("a: [crp, blood.crp]", "is in the group 'a' and in 'a', or twice in one"),
        ("psa: [crp, ldh]", "two groups would be called 'blood: psa'"),
        ("a: []", "a group is a name and a list of columns"),
        ("a: crp", "a group is a name and a list of columns"),
        ("a: [1]", "a column is a text, not 1"),
        ("[crp]", "give groups as 'name: [column, ...]'"),
        ("a: [crp", "not valid YAML"),
    ],
)
def test_groups_that_are_none(place: Path, registry: Registry, groups: str, said: str) -> None:
    """Every wrong group is named with what would be right."""
    file = place / "groups.yaml"
    file.write_text(groups)
    error = refused(place, registry, groups=file)

    assert isinstance(error, ConfigError)
    assert str(error).startswith(str(file))
    assert said in str(error)


def test_groups_across_modalities(place: Path, registry: Registry) -> None:
    """A group lies in one modality; what is left of a vector has a name of its own."""
    across = refused(place, registry, "vector", groups={"a": ["crp", "p0"]})
    taken = refused(place, registry, "vector", groups={"other columns": ["p0"]})
    unnamed = refused(place, registry, "blind", groups={"a": ["crp"]})

    assert "'a' has columns of blood and patches" in str(across)
    assert "may not be called 'other columns'" in str(taken)
    assert "the model reads no named columns" in str(unnamed)


def test_settings_that_mean_nothing(
    place: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Brier score has no drop of concordance, and curves need memory."""
    for asked, said in (
        ({"metric": "brier"}, "metric must be harrell or antolini, not brier"),
        ({"metric": "harell"}, "Did you mean 'harrell'"),
        ({"repeats": 0}, "repeats must be"),
        ({"level": 1.0}, "level between 0 and 1"),
        ({"jobs": 0}, "jobs"),
        ({"cause": "relapse"}, "no cause is named 'relapse'"),
    ):
        assert said in str(refused(place, registry, **asked))
    monkeypatch.setattr(importlib.import_module(run_module.__module__), "MOST_BYTES", 1000)
    assert "3 groups permuted 1 times take" in str(refused(place, registry, metric="antolini"))


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({}, "must give positions by name, not {}"),
        ({"a": (0, 1), "b": (1, 2, 3)}, "1 is in 'a' and in 'b'"),
        ({"a": (0, 1), "b": (3,)}, "but 2 is in no group"),
        ({"a": (0, 1), "b": ()}, "'b' has none"),
        ({"a": [0, 1, 2, 3]}, "not 'a': [0, 1, 2, 3]"),
        ({"a": (0, -1)}, "not -1 in 'a'"),
        ({"a": (0, 1, 2, 3, 4)}, "names position 4 in 'a', but what it gets has 4"),
        ({"a": (0, 1)}, "names 2 positions, but what it gets has 4"),
    ],
)
def test_an_encoder_that_names_no_partition(
    place: Path,
    registry: Registry,
    monkeypatch: pytest.MonkeyPatch,
    groups: Any,
    said: str,
) -> None:
    """Groups of an encoder hold every position once; else that is its authors' fault."""
    parts = importlib.import_module("parts_of_patches")
    monkeypatch.setattr(parts.Patches, "groups", groups)
    error = refused(place, registry, "patches")

    assert isinstance(error, PluginError)
    assert said in str(error)


def test_what_is_there_stays(place: Path, registry: Registry) -> None:
    """Older results are replaced on request, and what is none of ours never."""
    cohort = Cohort.read(place / "cohort.yaml")
    first = importance_run(place / "linear", cohort, registry=registry, **QUICK)
    before = (first.folder / "importance.json").read_bytes()

    with pytest.raises(RunError, match="give --overwrite"):
        importance_run(place / "linear", cohort, registry=registry, **QUICK)
    assert (first.folder / "importance.json").read_bytes() == before
    again = importance_run(place / "linear", cohort, registry=registry, overwrite=True, **QUICK)
    assert (again.folder / "importance.json").read_bytes() == before
    assert sorted(file.name for file in again.folder.iterdir()) == [
        "forest.svg", "importance.csv", "importance.json",
    ]  # fmt: skip
    (again.folder / "notes.txt").write_text("keep")
    with pytest.raises(RunError, match=r"'notes\.txt' is no part of the importances there"):
        importance_run(place / "linear", cohort, registry=registry, overwrite=True, **QUICK)
    (again.folder / "notes.txt").unlink()
    (place / "mine").mkdir()
    (place / "mine/notes.txt").write_text("keep")
    with pytest.raises(RunError, match="holds no importances"):
        importance_run(
            place / "linear", cohort, registry=registry, out=place / "mine", overwrite=True, **QUICK
        )
    assert (place / "mine/notes.txt").read_text() == "keep"
