"""What `survkit cv` and `survkit fit` repeat of the check before they train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from survkit.cli.cohort_warnings import print_warnings
from survkit.data import Cohort


def read(folder: Path) -> Cohort:
    """Return forty subjects of whom the last three have no blood values."""
    lines = ["id,days,event,age,days_to_relapse"]
    lines += [f"p{k},{400 + k},{k % 2},{k * 7919 % 50},{k * 31 % 40}" for k in range(40)]
    (folder / "patients.csv").write_text("\n".join(lines) + "\n")
    blood = ["id,crp"] + [f"p{k},{k * 13 % 40}" for k in range(37)]
    (folder / "blood.csv").write_text("\n".join(blood) + "\n")
    outcome = {"duration": "days", "unit": "days", "event": "event", "causes": {1: "death"}}
    config = {
        "name": "forty", "table": "patients.csv", "subject": "id", "outcome": outcome,
        "modalities": {
            "clinical": {"kind": "table", "columns": ["age", "days_to_relapse"]},
            "blood": {"kind": "table", "file": "blood.csv"},
        },
    }  # fmt: skip
    (folder / "cohort.yaml").write_text(yaml.safe_dump(config))
    return Cohort.read(folder / "cohort.yaml")


def test_columns_of_the_recipe_that_look_like_the_outcome_are_named(
    tmp_path: Path, capsys: Any
) -> None:
    """A reader who never ran the check sees it before the model trains."""
    print_warnings(read(tmp_path), ["clinical", "blood"])

    said = capsys.readouterr().err
    assert "warning: 'clinical.days_to_relapse': the name looks like an outcome" in said
    assert "have none of" not in said


def test_what_the_recipe_does_not_use_is_not_warned_of(tmp_path: Path, capsys: Any) -> None:
    """Of the columns left out nothing is said, of the subjects left without input it is."""
    print_warnings(read(tmp_path), ["blood"])

    said = capsys.readouterr().err
    assert "days_to_relapse" not in said
    assert "3 of 40 subjects have none of blood" in said
