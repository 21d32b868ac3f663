from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from survkit.errors import ConfigError
from survkit.recipe import LossConfig, PenaltyConfig, Recipe


def recipe_data(**changes: Any) -> dict[str, Any]:
    return {
        "encoders": {"clinical": {"use": "tabular", "dim": 8}},
        "head": "cox",
        "outcome": {"horizon": 730},
        "objective": "cox",
    } | changes


def test_short_forms_mean_the_long_ones() -> None:
    """A component may be its name, and a single loss needs no list."""
    recipe = Recipe.parse(recipe_data(), source="r")

    assert recipe.head.use == "cox"
    assert recipe.objective == [LossConfig(use="cox", weight=1.0)]
    assert recipe.encoders["clinical"].settings == {"dim": 8}


def test_losses_and_penalties_stand_in_one_list() -> None:
    """An objective is read in the order it is written."""
    recipe = Recipe.parse(
        recipe_data(objective=[{"use": "cox", "ties": "efron"}, {"penalty": "ct.codebook"}]),
        source="r",
    )

    loss, penalty = recipe.objective
    assert isinstance(loss, LossConfig)
    assert loss.settings == {"ties": "efron"}
    assert penalty == PenaltyConfig(penalty="ct.codebook", weight=1.0)


def test_a_recipe_survives_its_own_yaml(tmp_path: Path) -> None:
    """The resolved recipe that is stored with a run is the recipe."""
    recipe = Recipe.parse(recipe_data(search={"head.dropout": [0.0, 0.5]}), source="r")
    path = tmp_path / "recipe.yaml"

    path.write_text(recipe.to_yaml())

    assert Recipe.read(path) == recipe


def test_a_candidate_value_replaces_and_ends_the_search() -> None:
    """What the inner validation chose is a plain recipe."""
    recipe = Recipe.parse(recipe_data(search={"training.epochs": [5, 10]}), source="r")

    chosen = recipe.with_value("training.epochs", 10)

    assert chosen.training.epochs == 10
    assert not chosen.search


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoder": {}}, r"r: unknown key 'encoder'.*Did you mean 'encoders'"),
        ({"outcome": {"horizn": 730}}, "unknown key 'outcome.horizn'. Did you mean 'horizon'"),
        ({"encoders": {}}, "encoders: .*at least 1"),
        ({"encoders": {"CT-scan": "tabular"}}, "CT-scan.*pattern"),
        ({"head": None}, "head: "),
        ({"outcome": {"horizon": -1}}, "outcome.horizon: .*greater than 0, not -1"),
        ({"outcome": {"horizon": "730"}}, "outcome.horizon: .*valid number, not '730'"),
        ({"outcome": {}}, "the key 'outcome.horizon' is required"),
        (
            {"outcome": {"horizon": 1, "grid": {"kind": "edges"}}},
            "edges are given with kind: edges",
        ),
        ({"outcome": {"horizon": 1, "unit": "day"}}, "outcome.unit: .*'days'"),
        ({"objective": []}, "objective: .*at least 1"),
        ({"objective": [{"penalty": "ct.a", "weight": -1}]}, r"objective\.0\.weight: .*not -1$"),
        (
            {"objective": [{"penalty": "ct.codebook", "wieght": 1}]},
            r"unknown key 'objective\.0\.wieght'\. Did you mean 'weight'\? Known: penalty, weight",
        ),
        ({"objective": [{"use": "cox", "weight": -1}]}, r"objective\.0\.weight: .*not -1$"),
        ({"objective": [{"weight": 1}]}, "either 'use' .* or 'penalty'"),
        ({"objective": [{"use": "cox", "weight": float("nan")}]}, "weight: .*finite"),
        ({"training": {"epoch": 3}}, "unknown key 'training.epoch'. Did you mean 'epochs'"),
        ({"training": {"epochs": 0}}, "training.epochs: .*greater than or equal to 1"),
        ({"training": {"epochs": True}}, "training.epochs: .*valid integer, not True"),
        ({"training": {"risk_set": "most"}}, "training.risk_set"),
        ({"training": {"validation": 1.0}}, "training.validation: .*less than 1"),
        ({"search": {"training.epochs": [5, "many"]}}, "search.training.epochs.*valid integer"),
    ],
)
def test_wrong_recipes_get_one_sentence(changes: dict[str, Any], message: str) -> None:
    """The sentence names the key, what was expected and what came."""
    with pytest.raises(ConfigError, match=message) as caught:
        Recipe.parse(recipe_data(**changes), source="r")

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("data", [None, [], "text", 3])
def test_what_is_no_mapping_is_refused(data: object) -> None:
    """An empty file, a list and a text are no recipe."""
    with pytest.raises(ConfigError, match="expected keys and values"):
        Recipe.parse(data, source="r")


def baseline_data(**changes: Any) -> dict[str, Any]:
    return {
        "baseline": {"use": "coxnet", "l1_ratio": 0.5},
        "inputs": ["clinical", {"modality": "histology", "components": 20}],
        "outcome": {"horizon": 730},
        "training": {"seed": 3},
    } | changes


def test_a_baseline_names_its_inputs() -> None:
    """A modality may be its name; a network's modalities are its encoders."""
    recipe = Recipe.parse(baseline_data(), source="r")

    assert recipe.baseline is not None
    assert recipe.baseline.settings == {"l1_ratio": 0.5}
    assert [item.components for item in recipe.inputs] == [None, 20]
    assert recipe.modalities == ("clinical", "histology")
    assert Recipe.parse(recipe_data(), source="r").modalities == ("clinical",)


def test_a_baseline_survives_its_own_yaml(tmp_path: Path) -> None:
    """Its file holds nothing of a network."""
    search = {"baseline.l1_ratio": [0.1, 1.0], "inputs.1.components": [5, 20]}
    recipe = Recipe.parse(baseline_data(search=search), source="r")
    path = tmp_path / "recipe.yaml"

    path.write_text(recipe.to_yaml())

    assert Recipe.read(path) == recipe
    assert set(recipe.to_dict()) == {
        "title", "baseline", "inputs", "outcome", "training", "search",
    }  # fmt: skip
    assert recipe.to_dict()["training"] == {"seed": 3, "validation": 0.2}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"encoders": {"ct": "cnn3d"}}, "encoders has no place in the recipe of a baseline"),
        ({"head": "cox"}, "head has no place in the recipe of a baseline: give either encoders"),
        ({"objective": "cox"}, "objective has no place"),
        ({"fusion": "mean"}, "fusion has no place"),
        ({"inputs": []}, "inputs: .*at least 1"),
        ({"inputs": ["clinical", "clinical"]}, "'clinical' stands twice"),
        ({"inputs": [{"modality": "histology", "component": 3}]}, "Did you mean 'components'"),
        ({"training": {"epochs": 3}}, "training.epochs means nothing to a baseline"),
        ({"baseline": None}, "baseline: a component's name"),
        ({"search": {"outcome.horizon": [1, 2]}}, "search.outcome.horizon: a baseline searches"),
        ({"search": {"inputs.1.components": [0]}}, "search.inputs.1.components.*greater than or"),
    ],
)
def test_wrong_baselines_get_one_sentence(changes: dict[str, Any], message: str) -> None:
    """What a baseline would ignore is refused."""
    with pytest.raises(ConfigError, match=message) as caught:
        Recipe.parse(baseline_data(**changes), source="r")

    assert "\n" not in str(caught.value)


def test_a_network_has_no_inputs_and_a_baseline_needs_them() -> None:
    """Each form is whole."""
    with pytest.raises(ConfigError, match="inputs has no place in the recipe of a network"):
        Recipe.parse(recipe_data(inputs=["clinical"]), source="r")
    incomplete = baseline_data()
    del incomplete["inputs"]
    with pytest.raises(ConfigError, match="the key 'inputs' is required and missing"):
        Recipe.parse(incomplete, source="r")
