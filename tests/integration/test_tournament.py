"""Tournaments as a user types them, on a small table: folds, budget, tests, choice, resuming."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import survkit
from survkit.cli import main
from survkit.comparison import compare
from survkit.data import Cohort, Splits
from survkit.errors import ConfigError, DataError
from survkit.recipe import Recipe
from survkit.tournaments.budget import fit_budget
from survkit.tournaments.compositions import Composition
from survkit.tournaments.inner_score import Scoring, inner_score
from survkit.training.run_settings import RunSettings

from .conftest import Place

FILE: dict[str, Any] = {
    "title": "Heads and a ridge",
    "base": "recipe.yaml",
    "set": ["training.validation=0.3"],
    "vary": {"head": ["cox", "deephit"]},
    "compositions": {
        "ridge": {
            "recipe": {
                "baseline": {"use": "ridge-cox", "penalty": 1.0},
                "inputs": ["clinical"],
                "outcome": {"horizon": 300},
            }
        }
    },
}
SHORT = "--cohort cohort.yaml --folds 2 --replicates 20 --permutations 199 --quiet"
LINE = f"tournament t.yaml --out t {SHORT}"


@pytest.fixture(autouse=True)
def plain_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figures of the single runs, which would take most of the time."""
    monkeypatch.setattr(
        "survkit.report.write_report", lambda run, **_: (run / "report.html").write_text("a page")
    )


@pytest.fixture
def asked(place: Place) -> Place:
    """The place with a tournament file."""
    (place / "t.yaml").write_text(yaml.safe_dump(FILE))
    return place


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
        patch.setattr(
            "survkit.report.write_report",
            lambda run, **_: (run / "report.html").write_text("a page"),
        )
        assert main(f"{LINE} --inner-folds 2 --reference ridge".split()) == 0
    return folder


def content(place: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place / "tournament.json").read_text())
    return found


def refused(line: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one sentence with which a command is refused."""
    assert main(line.split()) == 2
    return capsys.readouterr().err


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


def test_the_page_says_what_may_be_concluded(played: Path) -> None:
    """One page without a link to elsewhere, with every composition and the warning."""
    page = (played / "t/tournament.html").read_text()

    assert "The best of many is too good" in page
    assert "chosen inside each fold" in page
    assert all(f">{name}</th>" in page for name in ("cox", "deephit", "ridge"))
    assert 'src="data:image/svg+xml' in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_what_does_not_fit_is_left_out_with_the_reason(
    asked: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Listed by --check, which writes nothing; an unknown name is refused, not left out."""
    line = f"tournament --recipe recipe.yaml --out new {SHORT} --check --vary"

    assert main([*line.split(), "fusion=mean,robsurv/dual-patch-fuse,gated"]) == 0

    printed = " ".join(capsys.readouterr().out.split())
    assert "left out: dual-patch-fuse: fusion (robsurv/dual-patch-fuse): " in printed
    assert "dual-patch-fuse fuses exactly two modalities" in printed
    assert not (asked / "new").exists()
    told = refused(f"{line} fusion=mean,gatd", capsys)
    assert "composition 'gatd': no fusion is named 'gatd'. Did you mean 'gated'?" in told
    told = refused(f"{line} fusion=mean,robsurv/dual-patch-fuse", capsys)
    assert "needs two compositions that fit at least, but of 2 only 1 fits" in told
    assert "dual-patch-fuse fuses exactly two modalities" in told


def test_unequal_budgets_are_refused_unless_stated(
    asked: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """More epochs, members or values to try are told with their numbers, before anything trains."""
    line = f"tournament --recipe recipe.yaml --out new {SHORT} --inner-folds 1 --check --vary"

    told = refused(f"{line} training.epochs=2,3", capsys)
    assert "in fold-0 'epochs=2' has at most 2 epochs and 'epochs=3' 3" in told
    assert "1 trainings and 'members=2' 2" in refused(f"{line} training.members=1,2", capsys)
    risk_sets = refused(f"{line} training.risk_set=7,all", capsys)
    assert "optimizer steps" in risk_sets
    told = refused(f"{line} training.patience=1,null", capsys)
    assert "'patience=1' stops early with patience 1 and 'patience=None' after its last" in told
    assert main(f"{line} training.epochs=2,3 --unequal-budget".split()) == 0


@pytest.mark.parametrize(
    ("vary", "folds"),
    [
        ("fusion=mean,gated", "its validation part"),
        ("training.monitor=concordance,loss", "3 inner folds"),
    ],
)
def test_the_validation_part_chooses_only_where_all_have_looked_alike(
    asked: Place, capsys: pytest.CaptureFixture[str], vary: str, folds: str
) -> None:
    """Else, and where a baseline competes with networks, inner folds do; what is asked is done."""
    told = f"the best of each training part is chosen on {folds}"
    line = f"tournament --recipe recipe.yaml --out new {SHORT} --check --vary {vary}"

    assert main(line.split()) == 0
    assert told in capsys.readouterr().out
    assert main(f"{line} --inner-folds 1".split()) == 0
    assert "chosen on its validation part" in capsys.readouterr().out
    assert main(f"{LINE} --check".split()) == 0  # two networks and a baseline
    assert "chosen on 3 inner folds" in capsys.readouterr().out


def test_too_few_permutations_for_so_many_pairs_are_refused(
    asked: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Three pairs at 0.05 need a p-value of a sixtieth: 59 permutations, and not one less."""
    line = f"tournament t.yaml --out new {SHORT} --check --permutations"

    told = refused(f"{line} 58", capsys)
    assert "Holm multiplies it by the 3 pairs of 3 compositions" in told
    assert "set --permutations to 59 or more" in told
    assert main(f"{line} 59".split()) == 0


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


def test_the_budget_counts_a_search() -> None:
    """Every candidate in every inner fold, and the winner once more; in epochs and in steps."""
    recipe = Recipe.parse(
        {
            "encoders": {"clinical": "tabular"},
            "head": "cox",
            "outcome": {"horizon": 300},
            "objective": "cox",
            "training": {"epochs": 5, "members": 2, "risk_set": 10, "search_folds": 3},
            "search": {"training.optimizer.lr": [0.1, 0.01]},
        },
        source="a test",
    )
    cohort = Cohort.read(Path("cohort.yaml"))
    train = list(range(30))

    found = fit_budget(recipe, cohort, train)

    assert found.tried == 2
    assert found.trainings == 2 * (2 * 3 + 1)
    assert found.epochs == 5 * found.trainings
    # 20 inner subjects are two risk sets, 30 are three
    assert found.steps == 5 * 2 * (2 * 3 * 2 + 3)
    assert found.passes == 5 * 2 * (2 * 3 * 20 + 30)


test_the_budget_counts_a_search = pytest.mark.usefixtures("place")(test_the_budget_counts_a_search)


def test_refusals_say_what_to_do(asked: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Contradictions of the command line, nobody to choose on, a place that is taken."""
    rest = f"--out new {SHORT}"

    assert "leave out --recipe and --vary" in refused(
        f"tournament t.yaml --recipe recipe.yaml {rest}", capsys
    )
    assert "give a tournament file, or --recipe" in refused(f"tournament {rest}", capsys)
    assert "--vary changes one recipe" in refused(
        f"tournament --recipe a=recipe.yaml --recipe b=recipe.yaml --vary head=cox {rest}", capsys
    )
    assert "no composition is named 'rigde'. Did you mean 'ridge'?" in refused(
        f"tournament t.yaml --reference rigde {rest}", capsys
    )
    assert "there is none; set training.validation above 0" in refused(
        f"tournament t.yaml --set training.validation=0 {rest}", capsys
    )
    (asked / "new").mkdir()
    (asked / "new/letter.txt").write_text("mine")
    assert "something is there already" in refused(f"tournament t.yaml {rest}", capsys)
    assert (asked / "new/letter.txt").read_text() == "mine"


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


@pytest.mark.slow
def test_several_processes_find_the_same(place: Place) -> None:
    """With two jobs as with one, also where inner folds are trained."""
    cohort, recipes = two_sizes(place)
    shared: Any = {"folds": 2, "inner_folds": 2, "replicates": 0, "permutations": 19}

    one = survkit.tournament(recipes, cohort, place / "one", **shared)
    two = survkit.tournament(recipes, cohort, place / "two", **shared, jobs=2)

    assert one.content == two.content
