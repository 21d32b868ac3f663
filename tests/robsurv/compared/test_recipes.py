"""The compared systems' recipes: they compose, share one protocol, and train."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from survkit.compose import Composition, compose
from survkit.flow import Batch, ModalityInput, select
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec
from survkit.testing import random_target
from survkit.training.gradient_cache import accumulate_gradients

SYSTEMS = [
    "coxph",
    "deepmts",
    "deepsurv",
    "mmrl",
    "multimodal-dropout",
    "survrnc",
    "tmss",
    "xsurv",
]
ON_IMAGES = [name for name in SYSTEMS if name not in ("coxph", "deepsurv")]
RESNET = {"width": 0.03125, "stem": "small"}
SMALL: dict[str, dict[str, Any]] = {
    "coxph": {},
    "deepsurv": {},
    "multimodal-dropout": {"encoders.ct": RESNET, "encoders.pet": RESNET, "fusion": {"dim": 8}},
    "mmrl": {"encoders.ct": RESNET, "encoders.pet": RESNET, "fusion": {"dim": 8}},
    "survrnc": {"encoders.ct": RESNET, "encoders.pet": RESNET},
    "deepmts": {"fusion": {"channels": [4, 8], "dense_layers": [1, 1], "growth": 4, "features": 4}},
    "xsurv": {"fusion": {"channels": [4, 8, 8, 8], "cross_levels": 2, "window": 4}},
    "tmss": {
        "fusion": {
            "dim": 12,
            "layers": 4,
            "heads": 2,
            "feed_forward": 12,
            "decoder_channels": 2,
        }
    },
}
"""Settings that let a recipe compose in a moment; everything else is as it is written."""

COLUMNS = (ColumnSpec("age"), ColumnSpec("sex", levels=("f", "m")))
TABLE = InputSpec(kind="table", shape=(2,), columns=COLUMNS)
VOLUME = InputSpec(kind="volume", shape=(1, 16, 16, 16), spacing=(1.0, 1.0, 1.0))
OUTCOME = OutcomeSpec(
    causes=("relapse",), horizon=2100.0, time_grid=tuple(210.0 * (i + 1) for i in range(10))
)


def specs_of(recipe: Recipe, volume: InputSpec = VOLUME) -> dict[str, InputSpec]:
    return {name: TABLE if name == "clinical" else volume for name in recipe.modalities}


def small(name: str) -> Recipe:
    """Return a recipe with other settings of its parts."""
    recipe = Recipe.read(f"robsurv/{name}")
    for part, settings in SMALL[name].items():
        for key, value in settings.items():
            recipe = recipe.with_value(f"{part}.{key}", value)
    return recipe


def composed(name: str) -> Composition:
    recipe = small(name)
    torch.manual_seed(0)
    return compose(recipe, specs_of(recipe), OUTCOME, default_registry())


def inputs_of(recipe: Recipe, subjects: int) -> dict[str, ModalityInput]:
    """Return noise with a bright cube, its mask, and a table; one subject has no mask."""
    generator = torch.Generator().manual_seed(0)
    there = torch.ones(subjects, dtype=torch.bool)
    mask = torch.zeros(subjects, 1, 16, 16, 16)
    mask[:, :, 4:10, 4:10, 4:10], mask[:, :, 4:7] = 1.0, mask[:, :, 4:7] * 2
    given = {}
    for name in recipe.modalities:
        if name == "clinical":
            age = torch.randn(subjects, generator=generator)
            sex = (age > 0).float()
            given[name] = ModalityInput(torch.stack([age, sex], dim=1), there)
        elif name == "gtv":
            some = torch.arange(subjects) > 0
            given[name] = ModalityInput(
                mask * some[:, None, None, None, None], some, complete=False
            )
        else:
            noise = torch.randn(mask.shape, generator=generator) * 0.3
            given[name] = ModalityInput(noise + mask.clamp(max=1), there)
    return given


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_recipe_composes(name: str) -> None:
    """Encoders, fusion, head and losses fit each other, over small networks."""
    composition = composed(name)

    assert set(composition.model.modalities) == set(small(name).modalities)


@pytest.mark.slow
@pytest.mark.parametrize("name", SYSTEMS)
def test_every_recipe_composes_as_written(name: str) -> None:
    """At full width, on volumes of 32 voxels: what a volume's size decides is the grid alone."""
    recipe = Recipe.read(f"robsurv/{name}")
    volume = InputSpec(kind="volume", shape=(1, 32, 32, 32), spacing=(1.0, 1.0, 1.0))

    compose(recipe, specs_of(recipe, volume), OUTCOME, default_registry())


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_recipe_lowers_its_loss(name: str) -> None:
    """Losses and penalties reach the network: ten steps of Adam on eight subjects."""
    recipe, composition = small(name), composed(name)
    model, objective = composition.model, composition.objective
    inputs, target = inputs_of(recipe, 8), random_target(OUTCOME, 8)
    for modality, encoder in model.encoders.items():
        if hasattr(encoder, "fit"):
            encoder.fit(inputs[modality])
    optimizer = torch.optim.Adam(model.train().parameters(), lr=1e-3)

    def loss() -> torch.Tensor:
        torch.manual_seed(0)  # of dropout: one function is descended
        value: torch.Tensor = objective.total(model(inputs), target)
        return value

    before = float(loss().detach())
    for _ in range(10):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()

    assert float(loss().detach()) < before


@pytest.mark.parametrize("name", SYSTEMS)
def test_outcome_and_division_are_those_of_all(name: str) -> None:
    """So that rows of one table are compared in the same folds, at the same times."""
    first, other = Recipe.read("robsurv/deepmts"), Recipe.read(f"robsurv/{name}")

    assert other.outcome == first.outcome
    assert other.training.validation == first.training.validation == 0.2
    assert other.training.seed == first.training.seed
    assert other.training.monitor == first.training.monitor == "antolini"


@pytest.mark.parametrize("name", ON_IMAGES)
def test_systems_on_images_are_trained_alike(name: str) -> None:
    """Optimizer, epochs and risk sets, too, are one protocol; copies cannot drift apart."""
    assert Recipe.read(f"robsurv/{name}").training == Recipe.read("robsurv/deepmts").training


@pytest.mark.parametrize("name", SYSTEMS)
def test_masks_are_read_by_penalties_alone(name: str) -> None:
    """A recipe with gtv weighs the segmentation, and its fusion says what gtv is."""
    recipe = Recipe.read(f"robsurv/{name}")
    penalties = [item.penalty for item in recipe.objective if hasattr(item, "penalty")]

    assert ("gtv" in recipe.modalities) == (penalties == ["fusion.segmentation"])
    supervision = getattr(composed(name).model.fusion, "supervision", ())
    assert supervision == (("gtv",) if "gtv" in recipe.modalities else ())


@pytest.mark.parametrize("name", ON_IMAGES)
def test_two_passes_over_micro_batches_give_the_gradient_of_one(name: str) -> None:
    """With dropout, dropped modalities, and a micro-batch without any mask; in float64."""
    recipe, target = small(name), random_target(OUTCOME, 6)
    inputs = inputs_of(recipe, 6)
    if "gtv" in inputs:
        some = torch.arange(6) >= 2
        values = inputs["gtv"].values * some[:, None, None, None, None]
        inputs["gtv"] = ModalityInput(values, some, complete=False)
    inputs = {key: replace(each, values=each.values.double()) for key, each in inputs.items()}
    whole = Batch(inputs, target, torch.arange(6))
    batches = [select(whole, torch.tensor([row, row + 1])) for row in (0, 2, 4)]
    gradients: dict[str, list[torch.Tensor]] = {}
    for mode in ("one-graph", "two-pass"):
        composition = composed(name)
        model = composition.model.double().train()
        for modality, encoder in model.encoders.items():
            if hasattr(encoder, "fit"):
                encoder.fit(inputs[modality])
        torch.manual_seed(0)

        accumulate_gradients(model, composition.objective, batches, mode=mode)  # type: ignore[arg-type]

        gradients[mode] = [each.grad for each in model.parameters() if each.grad is not None]

    assert gradients["one-graph"]
    torch.testing.assert_close(gradients["two-pass"], gradients["one-graph"], rtol=1e-9, atol=1e-10)
