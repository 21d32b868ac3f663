"""The optimizer of a recipe, with rates by part, and how the rate moves over epochs."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, pi
from typing import Any

import torch
from torch import nn

from survkit.errors import ConfigError
from survkit.training_config import OptimizerConfig, ScheduleConfig


def build_optimizer(
    model: nn.Module, config: OptimizerConfig, *, fused: bool = False
) -> torch.optim.Optimizer:
    """Return the optimizer over everything trainable; ``initial_lr`` of each group is its rate.

    Raises:
        ConfigError: Nothing is trainable, or a rate is given for a part that does not exist.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    names = [name for name, _ in model.named_parameters()]
    _check_parts(config.part_lr, names, "part_lr")
    _check_parts(config.part_weight_decay, names, "part_weight_decay")
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = _of_part(name, config.part_lr, config.lr)
            decay = _of_part(name, config.part_weight_decay, config.weight_decay)
            groups.setdefault((rate, decay), []).append(parameter)
    if not groups:
        raise ConfigError("nothing in the model is trainable; unfreeze a part or choose another")
    described: list[dict[str, Any]] = [
        {"params": parameters, "lr": rate, "initial_lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]
    if config.use == "sgd":
        return torch.optim.SGD(described, lr=config.lr, momentum=config.momentum)
    kind = torch.optim.AdamW if config.use == "adamw" else torch.optim.Adam
    return kind(described, lr=config.lr, fused=True if fused else None)


def rate_factor(epoch: int, epochs: int, config: ScheduleConfig) -> float:
    """Return by what the learning rate is multiplied in an epoch (counted from 0).

    Reference: Loshchilov & Hutter (2017), "SGDR", equation 5.
    """
    if epoch < config.warmup:
        return (epoch + 1) / (config.warmup + 1)
    if config.use == "constant":
        return 1.0
    position, period = epoch - config.warmup, max(1, epochs - config.warmup)
    if config.use == "cosine-restarts":
        period = config.period
        while position >= period:
            position, period = position - period, period * config.growth
    return config.final + (1 - config.final) * (1 + cos(pi * position / period)) / 2


def _of_part(name: str, by_part: Mapping[str, float], otherwise: float) -> float:
    """Return the value of the longest path that the parameter lies under."""
    fitting = [path for path in by_part if name == path or name.startswith(f"{path}.")]
    return by_part[max(fitting, key=len)] if fitting else otherwise


def _check_parts(by_part: Mapping[str, float], names: list[str], setting: str) -> None:
    for path in by_part:
        if not any(name == path or name.startswith(f"{path}.") for name in names):
            parts = sorted({".".join(name.split(".")[:2]) for name in names if "." in name})
            raise ConfigError(
                f"training.optimizer.{setting}: the model has no part '{path}'; "
                f"it has {', '.join(parts)}"
            )
