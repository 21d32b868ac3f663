"""The plugin as a whole, and its recipes: that they compose, and say what the paper says."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.catalog import CATALOG, Provider
from survkit.compose import compose
from survkit.flow import SurvivalTarget
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import InputSpec, OutcomeSpec
from survkit.testing import PluginConformance
from survkit.time_grid import discretise

CT = InputSpec(kind="volume", shape=(1, 40, 64, 64), spacing=(3.0, 1.0, 1.0))
RECIPES = sorted(
    each.name for each in default_registry().iterate("recipe") if each.plugin == "slicetention"
)
LUNG1 = [name for name in RECIPES if name.startswith("lung1")]
SMALL = {
    "slices": {"backbone": "mobilenetv3_small_050", "weights": None, "size": 32},
    "slice-transformer": {
        "backbone": "vit_tiny_patch16_224",
        "weights": None,
        "size": 32,
        "heads": 3,
    },
    "lung-volume": {"depth": 16, "size": 32},
}
"""Settings that let a recipe compose in a moment; everything else is as it is written."""


class TestPlugin(PluginConformance):
    module = "survkit_slicetention.plugin"
    plugin = "slicetention"
    distribution = "survkit-slicetention"


def read(name: str, **changes: Any) -> Recipe:
    """Return a recipe, with other settings of its encoder."""
    recipe = Recipe.read(f"slicetention/{name}")
    for key, value in changes.items():
        recipe = recipe.with_value(f"encoders.ct.{key}", value)
    return recipe


def outcome_of(recipe: Recipe) -> OutcomeSpec:
    grid = recipe.outcome.grid
    edges = tuple(grid.edges or ())
    if not edges:
        step = recipe.outcome.horizon / grid.intervals
        edges = tuple(step * (i + 1) for i in range(grid.intervals))
    return OutcomeSpec(causes=("death",), horizon=recipe.outcome.horizon, time_grid=edges)


def kind_of(recipe: Recipe) -> str:
    return recipe.encoders["ct"].use.removeprefix("slicetention/")


def test_the_catalog_knows_every_part() -> None:
    """So that whoever has not installed the plugin is told which one to install."""
    provider = Provider("survkit-slicetention", "slicetention")
    own = [each for each in default_registry().iterate() if each.plugin == "slicetention"]

    known = {(kind, name) for kind, names in CATALOG[provider].items() for name in names}

    assert known == {(each.kind, each.name) for each in own}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_composes(name: str) -> None:
    """Encoder, fusion, head and losses fit each other, over a small network."""
    recipe = read(name)
    recipe = read(name, **SMALL[kind_of(recipe)])

    composition = compose(recipe, {"ct": CT}, outcome_of(recipe), default_registry())

    assert composition.model.modalities == ("ct",)


@pytest.mark.slow
@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_composes_as_written(name: str) -> None:
    """At full size, but from random numbers instead of published weights."""
    recipe = read(name)
    if kind_of(recipe) != "lung-volume":
        recipe = read(name, weights=None)

    compose(recipe, {"ct": CT}, outcome_of(recipe), default_registry())


@pytest.mark.parametrize("name", LUNG1)
def test_the_recipes_of_the_paper_differ_in_encoder_and_fusion_alone(name: str) -> None:
    """Outcome, head, objective and training are one protocol; copies cannot drift apart."""
    paper, other = read("lung1").to_dict(), read(name).to_dict()

    for key in ("outcome", "head", "objective", "training", "search"):
        assert other[key] == paper[key], key


def test_the_backbones_of_the_recipes_exist() -> None:
    """By the names that timm and torchvision give them, weights published."""
    timm = pytest.importorskip("timm")
    models = pytest.importorskip("torchvision.models")
    for name in RECIPES:
        backbone = read(name).encoders["ct"].settings.get("backbone")
        if backbone is None:
            continue
        plain = backbone.removeprefix("torchvision:")
        if plain != backbone:
            assert models.get_model_weights(plain).DEFAULT.url, name
        else:
            assert timm.models.is_model_pretrained(backbone), name


def test_the_intervals_are_the_months_of_the_paper() -> None:
    """M = floor(days / 30) from 0 to 24, an event in month 24 being one; later is "no event"."""
    days = torch.arange(1, 1500, dtype=torch.float64)
    recipe = read("lung1")

    interval, event = discretise(
        SurvivalTarget(days, torch.ones(len(days), dtype=torch.int64)), outcome_of(recipe)
    )

    month = (days // 30).long()
    assert torch.equal(interval, month.clamp(max=25))
    assert torch.equal(event, (month <= 24).long())


def test_lung1_is_the_papers_protocol() -> None:
    """The numbers that the paper and its code state."""
    recipe = read("lung1")
    training = recipe.training

    assert recipe.encoders["ct"].settings == {
        "backbone": "efficientnet_b0",
        "freeze": "last",
        "stem": "trainable",
    }
    assert (training.epochs, training.micro_batch, training.risk_set) == (100, 4, 4)
    assert (training.optimizer.use, training.optimizer.weight_decay) == ("adamw", 0.01)
    assert (training.schedule.period, training.schedule.growth) == (10, 2)
    assert training.validation == 0.1
    assert training.monitor == "concordance"
    assert training.patience is None
    assert recipe.outcome.evaluation_points == "edges"
