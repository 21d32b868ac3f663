"""A linear path beside hidden layers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.errors import ConfigError


class WithLinearPath(nn.Module):
    """Puts what goes into a network beside what comes out of it: (..., feature + width).

    A linear layer on top is then a linear model of the features plus one of the hidden layers: with
    a penalty on its weights, a ridge model that the network may add to.

    Reference: Cheng et al. (2016), "Wide & deep learning for recommender systems".
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor) -> Tensor:
        """Return features and hidden layer side by side."""
        return torch.cat([features, self.network(features)], dim=-1)


def feature_network(
    features: int,
    hidden: Sequence[int],
    *,
    dim: int | None,
    dropout: float,
    linear_path: bool,
) -> tuple[nn.Sequential, int]:
    """Return the layers of an encoder on fitted features, and the width of what they give.

    Args:
        features: Number of features.
        hidden: Widths of the hidden layers.
        dim: Width of a linear output layer; ``None`` for none.
        dropout: Dropout rate after each hidden layer.
        linear_path: Whether the features also go past the hidden layers.

    Raises:
        ConfigError: A width below 1, a dropout outside [0, 1), or a linear path beside nothing.
    """
    if dim is not None and dim < 1:
        raise ConfigError(f"dim must be at least 1, or None for no output layer, not {dim}")
    network, width = perceptron(features, hidden, dropout=dropout)
    if hidden and dropout:
        network.append(nn.Dropout(dropout))
    if linear_path:
        if not hidden:
            raise ConfigError(
                "linear_path needs hidden layers to run beside; without them the encoder is linear "
                "already"
            )
        network, width = nn.Sequential(WithLinearPath(network)), features + width
    if dim is not None:
        network.append(nn.Linear(width, dim))
    return network, width if dim is None else dim
