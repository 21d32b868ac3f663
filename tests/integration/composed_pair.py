"""Composes and trains what a matrix asks about, one pair of parts at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import torch
from tests.integration.tiny_parts import FUSIONS, HEADS, LOSSES, scene
from torch import Tensor

from survkit.compose import Composition, compose
from survkit.dry_run import made_up_values
from survkit.errors import UserError
from survkit.flow import ModalityInput
from survkit.plugins import default_registry
from survkit.protocols import FitsBatches, FitsInput, Prepares, PreparesExample, Sample
from survkit.recipe import Recipe
from survkit.specs import InputSpec, OutcomeSpec
from survkit.testing import random_target

OUTCOME = OutcomeSpec(causes=("death",), horizon=24.0, time_grid=(6.0, 12.0, 24.0))
SUBJECTS = 6


def composed(
    encoder: str = "tabular",
    fusion: str = "mean",
    head: str = "cox",
    losses: tuple[str, ...] = ("cox",),
) -> Composition:
    """Compose four parts by their names, at tiny settings."""
    met = scene(encoder, fusion)
    recipe = Recipe.model_validate(
        {
            "encoders": met.encoders,
            "fusion": {"use": fusion, **FUSIONS[fusion]},
            "head": {"use": head, **HEADS[head]},
            "outcome": {"horizon": 24.0, "grid": {"kind": "uniform", "intervals": 3}},
            "objective": [{"use": loss, **LOSSES[loss]} for loss in losses],
        }
    )
    return compose(recipe, met.specs, OUTCOME, default_registry(), begin=lambda *_: None)


def refusal(**parts: Any) -> UserError | None:
    """Return why the parts do not fit; ``None`` if they do."""
    try:
        composed(**parts)
    except UserError as error:
        return error
    return None


def made_up_input(encoder: object, spec: InputSpec) -> ModalityInput:
    """Return some subjects as the encoder is given them."""
    generator = torch.Generator().manual_seed(1)
    rows = []
    for _ in range(SUBJECTS):
        if isinstance(encoder, PreparesExample):
            rows.append(encoder.prepared_example(generator=generator))
            continue
        values = made_up_values(spec, generator)
        sample = Sample(values=values, spacing=spec.spacing)
        rows.append(encoder.prepare(sample) if isinstance(encoder, Prepares) else values)
    return ModalityInput(torch.stack(rows), torch.ones(SUBJECTS, dtype=torch.bool))


def train_one_step(composition: Composition, specs: Mapping[str, InputSpec]) -> Tensor:
    """Fit what is fitted, take one step of gradient descent, and return the loss before it.

    Raises:
        AssertionError: The loss or a gradient is not finite, or no parameter moved.
    """
    model, objective = composition.model, composition.objective
    inputs = {name: made_up_input(model.encoders[name], specs[name]) for name in model.modalities}
    for name, encoder in model.encoders.items():
        if isinstance(encoder, FitsInput):
            encoder.fit(inputs[name])
        if isinstance(encoder, FitsBatches):
            encoder.fit_batches([inputs[name]])
    trained = [each for each in model.parameters() if each.requires_grad]
    before = [each.detach().clone() for each in trained]
    optimizer = torch.optim.SGD(trained, lr=0.1)

    loss = objective.total(model.train()(inputs), random_target(OUTCOME, SUBJECTS))
    cast(Any, loss).backward()
    optimizer.step()

    assert bool(loss.isfinite())
    assert all(bool(each.isfinite().all()) for each in trained), "a step into the infinite"
    assert any(not torch.equal(old, new) for old, new in zip(before, trained, strict=True))
    return loss.detach()
