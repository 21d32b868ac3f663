"""A run that somebody edited: one clear error, and no model with numbers that are not its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import survkit
from survkit.cli import main
from survkit.errors import RunError


@pytest.fixture
def bent(run: Path, tmp_path: Path) -> Path:
    """Return a copy of the run."""
    return shutil.copytree(run, tmp_path / "cv")


def test_another_recipe_is_not_refitted_under_the_numbers_of_this(
    bent: Path, cohort: Any, tmp_path: Path
) -> None:
    """The metrics beside a refit are of what was cross-validated."""
    text = (bent / "recipe.yaml").read_text()
    (bent / "recipe.yaml").write_text(text.replace("dim: 4", "dim: 5"))

    with pytest.raises(RunError, match=r"recipe\.yaml: is not the recipe that the run was made by"):
        survkit.finalize(bent, tmp_path / "model", by="refit", cohort=cohort)
    assert [one.name for one in tmp_path.iterdir()] == ["cv"]


@pytest.mark.parametrize(
    "content", ["{}", "[]", '{"folds": 3}', '{"folds": [3]}', '{"folds": [{}]}', "[" * 9999]
)
def test_damaged_splits(
    content: str, bent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line and exit code 2."""
    (bent / "splits.json").write_text(content)

    assert main(["finalize", str(bent), "--by", "ensemble", "--out", str(tmp_path / "m")]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {bent}/splits.json: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("init", [[], "x", {}, {"weights": {}}, {"weights": {"fold-0": "a"}}])
def test_a_start_that_is_no_start(init: object, bent: Path, cohort: Any, tmp_path: Path) -> None:
    """What the folds started from must be told whole."""
    facts = json.loads((bent / "run.json").read_text())
    (bent / "run.json").write_text(json.dumps(facts | {"init": init}))

    with pytest.raises(RunError, match="does not say which weights the folds started from"):
        survkit.finalize(bent, tmp_path / "model", by="refit", cohort=cohort)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 3),
        ("seed", None),
        ("recipe", 5),
        ("epochs", 5),
        ("epochs", None),
        ("seed", [0, {}]),
    ],
)
def test_a_fold_that_tells_nonsense_of_its_training(
    key: str, value: object, bent: Path, tmp_path: Path
) -> None:
    """The folder that does is named."""
    path = bent / "fold-0-0" / "config.json"
    config = json.loads(path.read_text())
    config["training"][key] = value
    path.write_text(json.dumps(config))

    with pytest.raises(RunError, match=r"another run or fold|damaged"):
        survkit.finalize(bent, tmp_path / "model", by="ensemble")
    assert not (tmp_path / "model").exists()


def test_an_ensemble_tells_where_all_of_its_folds_came_from(bent: Path, tmp_path: Path) -> None:
    """Of what the folds started from, that which is the same of all."""
    hub = {"repository": "org/old", "commit": "ab" * 20}
    for number, folder in enumerate(sorted(bent.glob("fold-*"))):
        config = json.loads((folder / "config.json").read_text())
        config["training"]["init"] = {"hub": hub, "validation_seen": number}
        (folder / "config.json").write_text(json.dumps(config))
    made = survkit.finalize(bent, tmp_path / "model", by="ensemble")

    assert made.description.training["init"] == {"hub": hub}
