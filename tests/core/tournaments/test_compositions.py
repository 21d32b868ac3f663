"""Which compositions a tournament file means: names, settings kept, losses that follow the head."""

from __future__ import annotations

from typing import Any

import pytest

from survkit.errors import ConfigError
from survkit.plugins import default_registry
from survkit.protocols import ANY_PARAMETERIZATION
from survkit.specs import OutcomeSpec
from survkit.tournaments import TournamentFile
from survkit.tournaments.compositions import Composition, read_compositions
from survkit.tournaments.follow_head import READ_THE_HEAD, STANDARD

BASE: dict[str, Any] = {
    "encoders": {"clinical": {"use": "tabular", "hidden": [], "dim": 4}},
    "fusion": {"use": "mean"},
    "head": {"use": "cox"},
    "outcome": {"horizon": 300},
    "objective": ["cox", {"use": "rank-n-contrast", "weight": 0.1}],
    "training": {"epochs": 2},
}
RIDGE: dict[str, Any] = {
    "baseline": "ridge-cox",
    "inputs": ["clinical"],
    "outcome": {"horizon": 300},
}


def compositions(**content: Any) -> dict[str, Composition]:
    """Return the compositions of a file with this base, by name."""
    asked = TournamentFile.parse({"base": BASE, **content}, source="t.yaml")
    return {one.name: one for one in read_compositions(asked, None, default_registry())}


def test_every_combination_competes_and_keeps_what_the_base_says() -> None:
    """The base's own encoder named by itself keeps its settings; another begins with its own."""
    found = compositions(
        vary={
            "encoders.clinical": ["tabular", {"use": "tabular", "dim": 8}],
            "fusion": ["mean", "slicetention/soft-attention"],
        }
    )

    assert list(found) == [
        "tabular.1+mean",
        "tabular.1+soft-attention",
        "tabular.2+mean",
        "tabular.2+soft-attention",
    ]
    first, last = found["tabular.1+mean"].recipe, found["tabular.2+soft-attention"].recipe
    assert first.encoders["clinical"].settings == {"hidden": [], "dim": 4}
    assert last.encoders["clinical"].settings == {"dim": 8}
    assert last.fusion.use == "slicetention/soft-attention"
    assert found["tabular.2+mean"].values == {"encoders.clinical": "tabular.2", "fusion": "mean"}


def test_losses_follow_the_head_and_other_terms_stay() -> None:
    """The base's head keeps its objective; another has what the file says, or its likelihood."""
    found = compositions(
        vary={"head": ["cox", "deephit", "mtlr"]}, objectives={"mtlr": "pycox-mtlr"}
    )

    used = {name: [term.use for term in one.recipe.objective] for name, one in found.items()}
    assert used == {
        "cox": ["cox", "rank-n-contrast"],
        "deephit": ["deephit-likelihood", "deephit-ranking", "rank-n-contrast"],
        "mtlr": ["pycox-mtlr"],
    }


def test_labels_give_values_that_go_together() -> None:
    """An axis of labels changes several paths at once, the objective among them."""
    found = compositions(
        vary={"end": {"cox": {"head": "cox"}, "late": {"head": "deephit", "objective": ["cox"]}}}
    )

    assert [term.use for term in found["late"].recipe.objective] == ["cox"]
    assert found["late"].recipe.head is not None
    assert found["late"].recipe.head.use == "deephit"


def test_changes_reach_the_form_they_concern() -> None:
    """``training.epochs`` is a network's; the validation share is everybody's."""
    found = compositions(
        set=["training.epochs=7", "training.validation=0.3"],
        compositions={"deep": {"set": ["training.micro_batch=8"]}, "ridge": {"recipe": RIDGE}},
    )

    assert found["deep"].recipe.training.epochs == 7
    assert found["deep"].recipe.training.micro_batch == 8
    assert {one.recipe.training.validation for one in found.values()} == {0.3}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"vary": {"head": ["cox", "cox"]}}, r"vary.head: the value 'cox' stands twice"),
        (
            {"vary": {"head": ["cox"], "end": {"a": {"head.use": "cox"}}}},
            r"vary.head and vary.end both change head; write values that go together",
        ),
        ({"vary": {"end": {"a": {}}}}, r"vary.end.a: says no path: value, so it changes nothing"),
        (
            {"compositions": {"a": None, "b": {"set": ["outcome.horizon=200"]}}},
            r"outcome.horizon is 300.0 in composition 'a' and 200.0 in composition 'b'",
        ),
        (
            {
                "set": ["outcome.evaluation_points=edges"],
                "compositions": {"a": None, "b": {"set": ["outcome.grid.intervals=5"]}},
            },
            r"outcome.grid is \{.*'intervals': 5",
        ),
        ({"compositions": {"a": None, "b": None}}, r"'a' and 'b' are the same recipe"),
        ({"compositions": {"chosen": None}}, r"cannot be named 'chosen'"),
        ({"compositions": {"run.json": None}}, r"cannot be named 'run.json'"),
        ({"vary": {"fusion": ["max"]}, "compositions": {"max": None}}, "two compositions are"),
        ({"compositions": {"a": {"recipe": "nowhere.yaml"}}}, r"compositions.a: nowhere.yaml"),
        ({}, r"there is nothing to compare: give vary, compositions or both"),
        ({"base": None, "vary": {"head": ["cox"]}}, r"vary changes the recipe of the key 'base'"),
    ],
)
def test_what_could_not_stand_in_one_table_is_refused(content: dict[str, Any], told: str) -> None:
    """In one sentence that names both or the place."""
    with pytest.raises(ConfigError, match=told):
        compositions(**content)


def test_the_table_of_likelihoods_is_what_is_registered() -> None:
    """Every head has one that reads it, and the losses replaced are those that read a head."""
    outcome = OutcomeSpec(
        causes=("death",), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0), time_unit="days"
    )
    core = [one for one in default_registry().iterate() if one.full_name == one.name]
    losses = {one.name: one.load()(outcome) for one in core if one.kind == "loss"}

    reading = {n for n, loss in losses.items() if ANY_PARAMETERIZATION not in loss.accepts}
    assert set(READ_THE_HEAD) == reading
    assert set(STANDARD) == {one.name for one in core if one.kind == "head"}
    for head, terms in STANDARD.items():
        built = next(one for one in core if one.kind == "head" and one.name == head).load()
        given = built(4, outcome).parameterization
        assert all(given in losses[term["use"]].accepts for term in terms), head
