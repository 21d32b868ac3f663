"""Codes in a model: composed by name, and the same after a step however it is computed."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor

from survkit.compose import Composition, compose
from survkit.flow import Batch, ModalityInput, SurvivalTarget
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import InputSpec, OutcomeSpec
from survkit.training.gradient_cache import GradientMode, accumulate_gradients

SPECS = {
    "ct": InputSpec(kind="volume", shape=(1, 16, 16, 32)),
    "pet": InputSpec(kind="volume", shape=(1, 16, 16, 16)),
}
OUTCOME = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=(12.0, 24.0))
SUBJECTS = 6


def composed(**settings: Any) -> Composition:
    """Return a model over vq3d and vq with a Cox head, and the paper's penalties."""
    common = {"codebook_size": 8, "restart_after": 1, **settings}
    torch.manual_seed(0)
    penalties = [
        {"penalty": f"{name}.{penalty}", "weight": weight}
        for name in SPECS
        for penalty, weight in (("codebook", 1.0), ("commitment", 0.25))
        if settings.get("learning") != "ema" or penalty != "codebook"
    ]
    recipe = Recipe.model_validate(
        {
            "encoders": {
                "ct": {"use": "robsurv/vq3d", "width": 0.0625, **common},
                "pet": {
                    "use": "robsurv/vq",
                    "encoder": "cnn3d",
                    "encoder_settings": {"dim": 32, "channels": [4, 4], "norm": "group"},
                    **common,
                },
            },
            "fusion": {"use": "mean"},
            "head": {"use": "cox"},
            "outcome": {"horizon": 24.0, "grid": {"kind": "uniform", "intervals": 2}},
            "objective": [
                {"use": "cox"},
                *penalties,
                {"penalty": "ct.reconstruction", "weight": 1.0},
            ],
        }
    )
    return compose(recipe, SPECS, OUTCOME, default_registry())


def micro_batches(size: int) -> list[Batch]:
    """Return the subjects of one step; the second has no PET."""
    generator = torch.Generator().manual_seed(1)
    volumes = {
        name: (2 * torch.rand(SUBJECTS, *spec.shape, generator=generator) - 1).double()
        for name, spec in SPECS.items()
    }
    with_pet = torch.arange(SUBJECTS) != 1
    target = SurvivalTarget(
        torch.arange(1.0, SUBJECTS + 1, dtype=torch.float64), torch.tensor([1, 0, 1, 1, 0, 1])
    )
    found = []
    for rows in torch.arange(SUBJECTS).split(size):
        present = {"ct": torch.ones(len(rows), dtype=torch.bool), "pet": with_pet[rows]}
        inputs = {
            name: ModalityInput(values[rows], present[name], complete=bool(present[name].all()))
            for name, values in volumes.items()
        }
        found.append(Batch(inputs, SurvivalTarget(target.duration[rows], target.event[rows]), rows))
    return found


def after_a_step(mode: GradientMode, size: int, learning: str) -> dict[str, Tensor]:
    """Return all state, gradients and health after one step."""
    composition = composed(learning=learning)
    model = composition.model.double().train()
    accumulate_gradients(model, composition.objective, micro_batches(size), mode=mode)
    left = {name: each.grad for name, each in model.named_parameters() if each.grad is not None}
    for name, module in model.named_modules():
        if hasattr(module, "after_step"):
            torch.manual_seed(5)
            module.after_step()
            health = module.epoch_health()
            assert health.values["restarted"] > 0
            left |= {f"{name} {key}": torch.tensor(value) for key, value in health.values.items()}
    return left | {f"state {name}": value for name, value in model.state_dict().items()}


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_one_graph_two_passes_and_any_micro_batch_are_one_step(learning: str) -> None:
    """Gradients, codes, restarts and health, with a subject who lacks a modality."""
    ways: list[tuple[GradientMode, int]] = [("one-graph", 6), ("two-pass", 6), ("two-pass", 2)]

    found = [after_a_step(*way, learning) for way in [*ways, ("one-graph", 1)]]

    assert any("restarted" in name for name in found[0])
    for one, other in pairwise(found):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-11, equal_nan=True)


def test_codes_that_start_from_tokens_compose() -> None:
    """The trial on made-up subjects has fewer tokens than codes, and goes through."""
    model = composed(start="kmeans", codebook_size=64).model

    assert set(model.encoders) == {"ct", "pet"}
