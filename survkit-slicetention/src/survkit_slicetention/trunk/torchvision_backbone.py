"""Networks that timm lacks, from torchvision: AlexNet, say."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import Any, cast

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError

PREFIX = "torchvision:"


def torchvision_network(name: str) -> nn.Module:
    """Return a classification network for one channel, without its last linear layer.

    A dropout right before that layer goes too; the encoder's own ``dropout`` stands for it.

    Raises:
        ConfigError: There is none of this name, or it does not end in a linear layer.
    """
    network = classifier(name)
    for path, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            _replace(network, path, _grey(module))
            break
    linear = [path for path, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not linear:
        raise ConfigError(f"torchvision's {name!r} has no linear layer at its end to replace")
    _replace(network, linear[-1], nn.Identity())
    parent, _, child = linear[-1].rpartition(".")
    before = f"{parent}.{int(child) - 1}" if child.isdigit() and int(child) > 0 else ""
    if before and isinstance(network.get_submodule(before), nn.Dropout):
        _replace(network, before, nn.Identity())
    return network


def classifier(name: str) -> nn.Module:
    """Return the network as torchvision has it, randomly initialised."""
    models: Any = import_module("torchvision.models")

    known = models.list_models(module=models)
    if name not in known:
        close = get_close_matches(name, known, n=3, cutoff=0.6)
        hint = f"Did you mean {' or '.join(map(repr, close))}? " if close else ""
        raise ConfigError(f"torchvision has no backbone {name!r}. {hint}Known: {', '.join(known)}")
    # both would otherwise begin with a warning about what a later version does
    options = {"init_weights": True} if name in ("googlenet", "inception_v3") else {}
    network: nn.Module = models.get_model(name, weights=None, **options)
    return network


def grey_weight(weight: Tensor) -> Tensor:
    """Return the kernels (out, 1, y, x) that see a grey image as the RGB kernels see it repeated.

    That is the sum over the three channels.
    """
    return weight.sum(dim=1, keepdim=True)


def _grey(stem: nn.Conv2d) -> nn.Conv2d:
    grey = nn.Conv2d(
        1,
        stem.out_channels,
        cast(tuple[int, int], stem.kernel_size),
        stride=cast(tuple[int, int], stem.stride),
        padding=cast(tuple[int, int], stem.padding),
        bias=stem.bias is not None,
    )
    with torch.no_grad():
        grey.weight.copy_(grey_weight(stem.weight))
        if stem.bias is not None and grey.bias is not None:
            grey.bias.copy_(stem.bias)
    return grey


def _replace(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, child = path.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
