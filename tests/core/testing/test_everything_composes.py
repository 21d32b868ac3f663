"""Any everyday encoders, fusion, head and the losses that read it fit together."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.compose import compose
from survkit.plugins import load_plugins
from survkit.recipe import Recipe
from survkit.registry import Registry
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec

SPECS = {
    "ct": InputSpec(kind="volume", shape=(1, 16, 16, 16)),
    "pet": InputSpec(kind="volume", shape=(2, 16, 20, 16)),
    "clinical": InputSpec(
        kind="table", shape=(2,), columns=(ColumnSpec("age"), ColumnSpec("sex", ("f", "m")))
    ),
    "tiles": InputSpec(kind="vector", shape=(30,), has_tokens=True),
}
ENCODERS: dict[str, Any] = {
    "ct": {"use": "resnet3d-18", "width": 0.0625, "stem": "small", "norm": "group"},
    "pet": {"use": "densenet3d-121", "width": 0.0625},
    "clinical": {"use": "tabular", "hidden": [4], "transform": "yeo-johnson"},
    "tiles": {"use": "vector", "components": 20},
}
LOSSES = {
    "cox": ["cox"],
    "deephit": ["deephit-likelihood", "deephit-ranking"],
    "discrete-hazard": ["hazard-likelihood", "deephit-ranking"],
    "cause-hazard": ["hazard-likelihood", "deephit-ranking"],
    "mtlr": ["deephit-likelihood", "deephit-ranking"],
    "pc-hazard": ["piecewise-likelihood"],
    "weibull": ["weibull"],
}
CAUSES = {name: ("death",) for name in ("discrete-hazard", "pc-hazard", "weibull")}


@pytest.mark.parametrize("head", LOSSES)
@pytest.mark.parametrize("fusion", ["concat", "mean", "gated", "attention"])
def test_everything_composes(fusion: str, head: str) -> None:
    """The dry run over four modalities, two of them volumes, passes, and every part is registered.

    It runs on a handful of made-up subjects, fewer than the principal components asked for.
    """
    registry = Registry()
    load_plugins(registry, [])
    outcome = OutcomeSpec(
        causes=CAUSES.get(head, ("cancer", "other")), horizon=24.0, time_grid=(6.0, 12.0, 24.0)
    )
    objective = [{"use": name} for name in [*LOSSES[head], "rank-n-contrast"]]
    recipe = Recipe.model_validate(
        {
            "encoders": ENCODERS,
            "fusion": {"use": fusion},
            "head": {"use": head},
            "outcome": {"horizon": 24.0, "grid": {"kind": "uniform", "intervals": 3}},
            "objective": objective,
        }
    )

    composition = compose(recipe, SPECS, outcome, registry)

    model = composition.model
    assert set(model.modalities) == set(SPECS)
    assert all(isinstance(each, torch.Tensor) for each in model.state_dict().values())
