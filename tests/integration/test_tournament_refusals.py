"""Tournaments that are refused before anything trains, or tell who is left out and why."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.integration.tournament_asked import LINE, SHORT, refused

from survkit.cli import main
from survkit.data import Cohort
from survkit.recipe import Recipe
from survkit.tournaments.budget import fit_budget

from .conftest import Place

pytestmark = pytest.mark.usefixtures("plain_pages")


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
