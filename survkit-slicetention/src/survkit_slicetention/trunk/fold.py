"""Batch normalisation folded into the convolution before it, for networks that only run forward.

In eval mode it is a fixed scale and shift per channel, so the convolution can carry it: the same
numbers but for rounding, with one pass over memory less per layer.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

log = logging.getLogger("survkit.slicetention")

TOLERANCE = 1e-4
"""Largest deviation of the folded network on a probe, relative to the largest feature."""


def folded(network: nn.Module, probe: Tensor) -> nn.Module:
    """Return a copy in eval mode with batch normalisations folded into convolutions.

    Which pairs there are is seen by running the probe: a normalisation that reads what exactly one
    convolution gave, and nothing else reads. The result is checked on the probe; a network that
    hides another use of a convolution's output comes back unfolded, with a line in the log.

    Args:
        network: Any network; left as it is.
        probe: An input of the right shape (batch, channel, y, x).
    """
    plain = deepcopy(network).eval()
    for parameter in plain.parameters():
        parameter.requires_grad_(False)
    with torch.no_grad():
        pairs, expected = _pairs(plain, probe)
        if not pairs:
            return plain
        candidate = deepcopy(plain)
        for conv_name, norm_name in pairs:
            conv, norm = candidate.get_submodule(conv_name), candidate.get_submodule(norm_name)
            assert isinstance(conv, nn.Conv2d)
            assert isinstance(norm, nn.BatchNorm2d)
            _replace(candidate, conv_name, fuse_conv_bn_eval(conv, norm))
            _replace(candidate, norm_name, _what_follows(norm))
        deviation = (candidate(probe) - expected).abs().max() / expected.abs().max()
    if not float(deviation) <= TOLERANCE:
        log.warning(
            "normalisation of the backbone is not folded (deviation %.1e): it runs slower",
            float(deviation),
        )
        return plain
    return candidate


def _pairs(network: nn.Module, probe: Tensor) -> tuple[list[tuple[str, str]], Tensor]:
    """Return pairs of a convolution and the normalisation that alone reads it, and the output."""
    watch = _Watch()
    expected = watch.run(network, probe)
    found = []
    for conv, readers in watch.readers_of_convolutions():
        if len(readers) == 1 and watch.calls[conv] == watch.calls[readers[0]] == 1:
            norm = network.get_submodule(readers[0])
            if isinstance(norm, nn.BatchNorm2d) and norm.track_running_stats:
                found.append((conv, readers[0]))
    return found, expected


class _Watch:
    """Which layer reads what a convolution gave, seen while the network runs."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._made: dict[int, tuple[str, Tensor]] = {}  # kept alive, so that no id is used twice
        self._readers: dict[int, list[str]] = {}

    def run(self, network: nn.Module, probe: Tensor) -> Tensor:
        """Run the network under watch and return its output."""
        hooks: list[Any] = []
        for name, module in network.named_modules():
            if isinstance(module, nn.BatchNorm2d) or not any(module.children()):
                hooks.append(module.register_forward_pre_hook(partial(self._reads, name)))
            if isinstance(module, nn.Conv2d):
                hooks.append(module.register_forward_hook(partial(self._makes, name)))
        try:
            output: Tensor = network(probe)
        finally:
            for hook in hooks:
                hook.remove()
        return output

    def readers_of_convolutions(self) -> Iterator[tuple[str, list[str]]]:
        """Yield each convolution's name and the layers that read its output."""
        for key, (name, _) in self._made.items():
            yield name, self._readers.get(key, [])

    def _reads(self, name: str, module: nn.Module, given: tuple[Any, ...]) -> None:
        self.calls[name] += 1
        for each in given:
            if isinstance(each, Tensor):
                self._readers.setdefault(id(each), []).append(name)

    def _makes(self, name: str, module: nn.Module, given: tuple[Any, ...], made: Tensor) -> None:
        self._made[id(made)] = (name, made)
        self._readers[id(made)] = []  # of a tensor that had this id before, and is gone


def _what_follows(norm: nn.BatchNorm2d) -> nn.Module:
    """Return what a normalisation does besides: timm's kind has the activation within."""
    activation = getattr(norm, "act", None)
    return activation if isinstance(activation, nn.Module) else nn.Identity()


def _replace(network: nn.Module, path: str, module: nn.Module) -> None:
    parent, _, child = path.rpartition(".")
    setattr(network.get_submodule(parent), child, module)
