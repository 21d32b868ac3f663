"""Tournaments as a user types them, on a small table: folds, budget, tests, choice, resuming."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml
from tests.core.pages import without_figures
from tests.integration.tournament_asked import FILE, LINE, content, refused

from survkit.cli import main
from survkit.comparison import compare
from survkit.data import Cohort, Splits
from survkit.recipe import Recipe
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_score import Scoring, inner_score
from survkit.training.run_settings import RunSettings

pytestmark = pytest.mark.usefixtures("plain_pages")


@pytest.fixture(scope="module")
def played(finished_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished tournament that choosing by two inner folds; tests take copies."""
    folder = tmp_path_factory.mktemp("played")
    for name in ("cohort.yaml", "patients.csv", "recipe.yaml"):
        shutil.copy(finished_runs / name, folder)
    (folder / "t.yaml").write_text(yaml.safe_dump(FILE))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        with without_figures():
            assert main(f"{LINE} --inner-folds 2 --reference ridge".split()) == 0
    return folder


def test_all_have_the_same_folds_and_budget(played: Path) -> None:
    """One hash of the splits in every run, and as many steps at most in every network."""
    found = content(played / "t")

    names = ["cox", "deephit", "ridge"]
    assert list(found["compositions"]) == names
    hashes = {json.loads((played / "t" / n / "run.json").read_text())["splits"] for n in names}
    assert hashes == {found["splits_hash"]}
    budgets = [found["compositions"][name]["budget"] for name in names]
    assert budgets[0] == budgets[1]
    assert budgets[2] is None
    # two folds, each: its own training and two inner ones, of two epochs of one risk set
    assert budgets[0]["trainings"] == 2 * 3
    assert budgets[0]["steps"] == budgets[0]["epochs"] == 2 * 3 * 2
    assert found["compositions"]["cox"]["spent"]["steps"] == 2 * 2


def test_tests_and_numbers_are_those_of_the_runs(played: Path) -> None:
    """Difference, p and Holm are what ``survkit compare`` finds in the same folders."""
    place, names = played / "t", ["cox", "deephit", "ridge"]
    found = content(place)
    again = compare({name: place / name for name in names}, replicates=20, permutations=199)

    for key, metric in again.metrics.items():
        pairs = found["pairs"][key]
        assert [(pair["first"], pair["second"]) for pair in pairs] == [
            ("cox", "deephit"), ("cox", "ridge"), ("deephit", "ridge"),
        ]  # fmt: skip
        assert [pair["p_holm"] for pair in pairs] == [pair.p_holm for pair in metric.pairs]
        for pair, expected in zip(pairs, metric.pairs, strict=True):
            assert pair["difference"] == expected.difference.to_json()
    assert json.loads((place / "comparison.json").read_text()) == again.to_json()
    for name in names:
        own = json.loads((place / name / "metrics.json").read_text())["causes"]["death"]["metrics"]
        for key, result in found["compositions"][name]["results"].items():
            assert result == own[key]["pooled"]
    pair = again.metrics["harrell_concordance_within_folds"].pair("cox", "ridge")
    assert found["differences"]["cox"] == pair.difference.to_json()


def test_the_chosen_are_the_best_inside(played: Path) -> None:
    """The inner scores choose, fold by fold, and the table has the chosen one's own rows."""
    found = content(played / "t")

    folds = found["chosen"]["folds"]
    assert list(folds) == ["fold-0", "fold-1"]
    for fold, choice in folds.items():
        scores = {
            name: json.loads((played / f"t/inner/{name}/{fold}.json").read_text())
            for name in found["compositions"]
        }
        assert all(len(one["parts"]) == 2 for one in scores.values())
        assert choice["scores"] == {name: one["score"] for name, one in scores.items()}
        assert choice["scores"][choice["chosen"]] == max(choice["scores"].values())
        assert not (played / f"t/inner/cox/{fold}").exists()
    counts = [one["chosen_in"] for one in found["compositions"].values()]
    assert sum(counts) == 2
    with (played / "t/choices.csv").open(newline="") as file:
        assert [row["chosen"] for row in csv.DictReader(file)] == [
            choice["chosen"] for choice in folds.values()
        ]


@pytest.mark.parametrize("name", ["cox", "ridge"])
@pytest.mark.parametrize("folds", [1, 2])
def test_no_outcome_of_a_test_subject_reaches_a_score(
    played: Path, tmp_path: Path, name: str, folds: int
) -> None:
    """With every outcome of the fold's test subjects changed the score is the same to the bit."""
    shutil.copy(played / "cohort.yaml", tmp_path)
    cohort = Cohort.read(played / "cohort.yaml")
    splits = Splits.read(played / "t/splits.json", subjects=cohort.subjects)
    frame = pd.read_csv(played / "patients.csv")
    rows = frame["id"].isin(set(splits.folds[0].test))
    frame.loc[rows, "event"] = 1 - frame.loc[rows, "event"]
    frame.loc[rows, "days"] = 1000.0 - frame.loc[rows, "days"]
    frame.to_csv(tmp_path / "patients.csv", index=False)
    found = []
    for which, one in (("true", cohort), ("bent", Cohort.read(tmp_path / "cohort.yaml"))):
        work = Scoring(
            composition=Composition(name, Recipe.read(played / "t" / name / "recipe.yaml")),
            cohort=one,
            splits=splits,
            run=played / "t" / name,
            place=tmp_path / which,
            folds=folds,
            cause=1,
            settings=RunSettings(),
        )
        found.append(inner_score(work, 0))

    assert found[0] == found[1]
    assert 0 <= found[0]["score"] <= 1


def test_the_page_says_what_may_be_concluded(played: Path) -> None:
    """One page without a link to elsewhere, with every composition and the warning."""
    page = (played / "t/tournament.html").read_text()

    assert "The best of many is too good" in page
    assert "chosen inside each fold" in page
    assert all(f">{name}</th>" in page for name in ("cox", "deephit", "ridge"))
    assert 'src="data:image/svg+xml' in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_an_interrupted_tournament_ends_with_the_same_bytes(
    played: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a run, a fold of another and the results; only the clock may differ."""
    shutil.copytree(played, tmp_path / "again")
    monkeypatch.chdir(tmp_path / "again")
    place = Path("t")
    before = whole(place)
    shutil.rmtree(place / "ridge")
    shutil.rmtree(place / "deephit/fold-1")
    for name in ("deephit/predictions.parquet", "inner/cox/fold-1.json", "tournament.json"):
        (place / name).unlink()
    shutil.rmtree(place / "chosen")

    assert main(f"{LINE} --inner-folds 2 --reference ridge --resume".split()) == 0

    assert whole(place) == before


def whole(place: Path) -> dict[str, bytes]:
    """Return every file but those that say how long it took."""
    return {
        str(path.relative_to(place)): path.read_bytes()
        for path in sorted(place.rglob("*"))
        if path.is_file() and path.name not in ("seconds.json", "tournament.html")
    }


def test_another_tournament_is_not_gone_on_with(
    played: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A changed recipe, fold count, resamples or way of choosing; nothing of the first is lost."""
    shutil.copytree(played, tmp_path / "again")
    monkeypatch.chdir(tmp_path / "again")
    before = whole(Path("t"))
    line = f"{LINE} --inner-folds 2 --reference ridge --resume"

    told = refused(f"{line} --set training.epochs=3", capsys)
    assert "the interrupted run had another compositions (cox.training.epochs: 2, now 3)" in told
    assert "had another splits" in refused(line.replace("--folds 2", "--folds 3"), capsys)
    assert "had another inner_folds (2, now 1)" in refused(f"{line} --inner-folds 1", capsys)
    assert "had another replicates (20, now 30)" in refused(f"{line} --replicates 30", capsys)
    assert whole(Path("t")) == before
