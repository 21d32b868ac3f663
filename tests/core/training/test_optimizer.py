"""Rates by part and over epochs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch

from survkit.errors import ConfigError
from survkit.training.optimizer import build_optimizer, rate_factor
from survkit.training_config import OptimizerConfig, ScheduleConfig


def test_the_longest_path_gives_a_part_its_rate(
    model_factory: Callable[..., torch.nn.Module],
) -> None:
    """Every trainable parameter is in exactly one group, with the rate of its closest part."""
    model = model_factory()
    model.encoders["rna"].requires_grad_(False)
    config = OptimizerConfig(
        lr=0.1,
        weight_decay=0.5,
        part_lr={"encoders": 0.2, "encoders.ct.decoder": 0.3},
        part_weight_decay={"head": 0.0},
    )

    optimizer = build_optimizer(model, config)

    names = {id(value): name for name, value in model.named_parameters()}
    found = {
        names[id(value)]: (group["lr"], group["weight_decay"])
        for group in optimizer.param_groups
        for value in group["params"]
    }
    assert found["encoders.ct.decoder.1.weight"] == (0.3, 0.5)
    assert found["encoders.ct.trunk.0.weight"] == (0.2, 0.5)
    assert found["head.linear.weight"] == (0.1, 0.0)
    trainable = {name for name, value in model.named_parameters() if value.requires_grad}
    assert found.keys() == trainable


def test_unknown_parts_and_frozen_models_are_refused(
    model_factory: Callable[..., torch.nn.Module],
) -> None:
    """A misspelt part would silently train at another rate."""
    with pytest.raises(ConfigError, match=r"no part 'encoders\.mri'; it has encoders\.ct"):
        build_optimizer(model_factory(), OptimizerConfig(part_lr={"encoders.mri": 0.1}))
    with pytest.raises(ConfigError, match="nothing in the model is trainable"):
        build_optimizer(model_factory().requires_grad_(False), OptimizerConfig())


def test_cosine_falls_from_one_to_final_and_warms_up() -> None:
    """Half a cosine after a linear warm-up; the middle is the mean of both ends."""
    config = ScheduleConfig(use="cosine", warmup=3, final=0.2)
    factors = [rate_factor(epoch, 13, config) for epoch in range(13)]

    assert factors[:3] == pytest.approx([0.25, 0.5, 0.75])
    assert factors[3] == 1.0
    assert factors[8] == pytest.approx(0.6)
    assert all(left > right for left, right in pairwise(factors[3:]))


def test_restarts_grow() -> None:
    """Cycles of 2, 4, 8 epochs begin at full rate."""
    config = ScheduleConfig(use="cosine-restarts", period=2, growth=2)
    full = [epoch for epoch in range(15) if rate_factor(epoch, 15, config) == 1.0]

    assert full == [0, 2, 6, 14]
    assert {rate_factor(epoch, 9, ScheduleConfig()) for epoch in range(9)} == {1.0}
