"""Patch-wise fusion takes grids of any encoder, in any recipe."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.compose import Composition, compose
from survkit.errors import CompositionError
from survkit.plugins import default_registry
from survkit.recipe import Recipe
from survkit.specs import InputSpec, OutcomeSpec
from survkit.testing.batches import random_input

VOLUME = InputSpec(kind="volume", shape=(1, 16, 16, 16))
OUTCOME = OutcomeSpec(causes=("relapse",), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))
FUSION: dict[str, Any] = {
    "use": "robsurv/dual-patch-fuse",
    "dim": 16,
    "heads": 2,
    "head_dim": 8,
    "continuous_dim": 16,
    "reduction": 4,
    "kernel": 3,
    "feed_forward": 32,
    "out_dim": 16,
}


def composed(**encoders: dict[str, Any]) -> Composition:
    data = {
        "encoders": encoders,
        "fusion": FUSION,
        "head": "cause-hazard",
        "outcome": {"horizon": 4.0},
        "objective": [
            {"use": "hazard-likelihood", "weight": 2.0},
            {"penalty": "fusion.align", "weight": 0.5},
            {"penalty": "fusion.preserve", "weight": 0.5},
        ],
    }
    specs = {name: VOLUME for name in encoders}
    return compose(Recipe.parse(data, source="r"), specs, OUTCOME, default_registry())


def test_convolutional_encoders_of_any_width_fuse() -> None:
    """A grid of 4 a side, tokens of 8 and of 4; the objective weighs both penalties."""
    model = composed(ct={"use": "cnn3d", "dim": 8}, pet={"use": "cnn3d", "dim": 4}).model.eval()
    inputs = {name: random_input(VOLUME, 2, seed=seed) for seed, name in enumerate(("ct", "pet"))}

    output = model(inputs)

    assert output.penalties.keys() == {"fusion.align", "fusion.preserve"}
    assert output.parameters.shape == (2, 4, 2)
    with torch.no_grad():
        survival = model.predict(inputs).survival(torch.tensor([1.0, 4.0]))
    assert bool((survival[:, 0] >= survival[:, 1]).all())


def test_grids_of_other_strides_are_refused() -> None:
    """While composing; the sentence says what would fit."""
    with pytest.raises(CompositionError, match=r"not ct \(4, 4, 4\), pet \(8, 8, 8\); give both"):
        composed(ct={"use": "cnn3d"}, pet={"use": "cnn3d", "halvings": 1})
