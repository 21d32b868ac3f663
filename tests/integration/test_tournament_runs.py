"""Tournaments that fail in part, run in several processes or from Python."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from tests.integration.tournament_asked import LINE, content

import survkit
from survkit.cli import main
from survkit.data import Cohort
from survkit.errors import ConfigError, DataError
from survkit.recipe import Recipe

from .conftest import Place

pytestmark = pytest.mark.usefixtures("plain_pages")


def test_one_that_fails_does_not_stop_the_others(
    asked: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stands in the table with its reason, and the exit code is 1."""
    asked.yaml(
        "t.yaml",
        lambda file: file["compositions"].update(
            wild={"set": ["training.optimizer.lr=1e30", "training.optimizer.use=sgd"]}
        ),
    )

    line = f"{LINE} --inner-folds 1 --reference wild"

    assert main(line.split()) == 1

    found = content(asked / "t")
    assert list(found["compositions"]) == ["cox", "deephit", "ridge"]
    assert found["reference"] == found["best"]
    page = (asked / "t/tournament.html").read_text()
    assert "The reference wild failed, so the others are shown against the best." in page
    assert "a baseline&#39;s not at all" in page
    assert "not finite" in found["failed"]["wild"] or "loss became" in found["failed"]["wild"]
    assert "failed: wild: " in capsys.readouterr().out


def test_finished_baselines_outlive_a_late_refusal(
    asked: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They have no log of epochs; what they predicted stays, and --resume only compares."""
    ridges = {
        f"ridge-{penalty}": {
            "recipe": {
                "baseline": {"use": "ridge-cox", "penalty": penalty},
                "inputs": ["clinical"],
                "outcome": {"horizon": 300},
            }
        }
        for penalty in (1.0, 10.0)
    }
    (asked / "t.yaml").write_text(yaml.safe_dump({"compositions": ridges}))

    def late(*_: Any, **__: Any) -> None:
        raise DataError("a late refusal")

    with monkeypatch.context() as patch:
        patch.setattr("survkit.tournaments.results.compare", late)
        assert main(LINE.split()) == 2
    before = (asked / "t/ridge-1.0/predictions.parquet").stat().st_mtime_ns
    capsys.readouterr()

    assert main(f"{LINE} --resume".split()) == 0

    assert (asked / "t/ridge-1.0/predictions.parquet").stat().st_mtime_ns == before
    assert list(content(asked / "t")["compositions"]) == ["ridge-1.0", "ridge-10.0"]


def two_sizes(place: Place) -> tuple[Cohort, dict[str, Recipe]]:
    """Return a cohort and two recipes made in Python."""
    recipes = {
        name: Recipe.read(place / "recipe.yaml", overrides=[f"encoders.clinical.dim={dim}"])
        for name, dim in (("narrow", 2), ("wide", 8))
    }
    return Cohort.read(place / "cohort.yaml"), recipes


def test_recipes_by_name_in_python(place: Place) -> None:
    """Repeats have folds of their own, and one recipe alone is no tournament."""
    cohort, recipes = two_sizes(place)
    shared: Any = {"folds": 2, "repeats": 2, "replicates": 0, "permutations": 19, "progress": False}

    found = survkit.tournament(recipes, cohort, place / "one", **shared)

    names = ["fold-0-0", "fold-0-1", "fold-1-0", "fold-1-1"]
    assert list(found.content["chosen"]["folds"]) == names
    assert found.content["repeats"] == 2
    assert found.content["pairs"]["harrell_concordance_within_folds"][0]["corrected_t"]["n"] == 4
    with pytest.raises(ConfigError, match="needs two compositions"):
        survkit.tournament({"wide": recipes["wide"]}, cohort, place / "three", **shared)


@pytest.mark.slow
def test_several_processes_find_the_same(place: Place) -> None:
    """With two jobs as with one, also where inner folds are trained."""
    cohort, recipes = two_sizes(place)
    shared: Any = {"folds": 2, "inner_folds": 2, "replicates": 0, "permutations": 19}

    one = survkit.tournament(recipes, cohort, place / "one", **shared)
    two = survkit.tournament(recipes, cohort, place / "two", **shared, jobs=2)

    assert one.content == two.content


@pytest.mark.parametrize("name", ["../mine", "mine/../../mine", "..", ".hidden", "", "a\n"])
def test_a_name_reaches_no_other_folder(place: Place, name: str) -> None:
    """A name that is a path is refused, and what lies there stays."""
    cohort, recipes = two_sizes(place)
    (place / "mine").mkdir()
    (place / "mine/letter.txt").write_text("keep")

    with pytest.raises(ConfigError, match="a composition's folder has its name"):
        survkit.tournament({name: recipes["wide"]} | recipes, cohort, place / "t", folds=2)

    assert (place / "mine/letter.txt").read_text() == "keep"
    assert not (place / "t").exists()
