"""Which part of a network trains, counted as the paper's code counts it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from torch import nn

from survkit.errors import ConfigError

Freeze = Literal["last", "half", "none"]
"""``last``: only the new linear layer after the backbone trains; ``half``: the second half of the
list of layers does; ``none``: everything does."""
Stem = Literal["frozen", "trainable"]


def freeze_half(network: nn.Module, *, after: int = 0) -> list[nn.Module]:
    """Freeze the first half of a network's layers in the order of definition, and return them.

    Args:
        network: The network.
        after: Layers that follow it and count as well (the new linear layer).
    """
    layers = [module for module in network.modules() if _has_own_parameters(module)]
    return freeze_layers(layers[: (len(layers) + after) // 2])


def freeze_layers(layers: Iterable[nn.Module]) -> list[nn.Module]:
    """Take the parameters that are the layers' own out of training."""
    frozen = list(layers)
    for layer in frozen:
        for parameter in layer.parameters(recurse=False):
            parameter.requires_grad_(False)
    return frozen


def stem_of(network: nn.Module) -> nn.Conv2d:
    """Return the convolution that sees the image.

    Raises:
        ConfigError: The network begins otherwise.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d) and module.in_channels == 1:
            return module
    raise ConfigError(
        f"{type(network).__name__} has no convolution that sees the grey image; use stem: frozen"
    )


def _has_own_parameters(module: nn.Module) -> bool:
    return any(True for _ in module.parameters(recurse=False))
