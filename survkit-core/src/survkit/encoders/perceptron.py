"""Fully connected layers, as encoders, fusions and heads use them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from torch import nn

from survkit.errors import ConfigError

Activation = Literal["relu", "selu", "gelu", "tanh"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "tanh": nn.Tanh,
}


def perceptron(
    in_dim: int,
    hidden: Sequence[int],
    *,
    dropout: float = 0.0,
    activation: Activation = "relu",
) -> tuple[nn.Sequential, int]:
    """Return linear layers, each with its activation, with dropout between them, and the width.

    There is no dropout after the last activation: who adds an output layer decides that. Without
    hidden layers the result passes its input through.

    Raises:
        ConfigError: A width below 1, a dropout outside [0, 1), or an unknown activation.
    """
    if any(width < 1 for width in (in_dim, *hidden)):
        raise ConfigError(f"layer widths must be at least 1, not {[in_dim, *hidden]}")
    check_dropout(dropout)
    if activation not in _ACTIVATIONS:
        raise ConfigError(
            f"activation must be one of {', '.join(_ACTIVATIONS)}, not {activation!r}"
        )
    layers: list[nn.Module] = []
    for position, (before, after) in enumerate(pairwise((in_dim, *hidden))):
        if position and dropout:
            layers.append(nn.Dropout(dropout))
        layers += [nn.Linear(before, after), _ACTIVATIONS[activation]()]
    return nn.Sequential(*layers), hidden[-1] if hidden else in_dim


def check_dropout(rate: float, name: str = "dropout") -> None:
    """Refuse a dropout rate outside [0, 1)."""
    if not 0.0 <= rate < 1.0:
        raise ConfigError(f"{name} must lie in [0, 1), not {rate:g}")
