"""Buffers of a network, kept and put back: running statistics, counters, codebooks that follow a
moving average.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def buffers_put_back(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Let the buffers evolve inside the block and put every one back afterwards, also after an
    exception.

    Putting the values back is exact for any layer. Setting the momentum of normalisation layers to
    zero instead would know one kind of layer, and would spread NaN from one bad micro-batch into
    statistics that it must not touch.
    """
    kept = [
        (owner, name, buffer, buffer.detach().clone())
        for owner, name, buffer in _own_buffers(parts)
    ]
    try:
        yield
    finally:
        with torch.no_grad():
            for owner, name, buffer, value in kept:
                buffer.copy_(value)
                owner._buffers[name] = (
                    buffer  # a layer may have replaced the tensor instead of writing into it
                )


def _own_buffers(parts: Iterable[nn.Module]) -> Iterator[tuple[nn.Module, str, Tensor]]:
    """Yield the buffers of modules that train; in eval mode a layer keeps its statistics as they
    are.
    """
    for module in (module for part in parts for module in part.modules()):
        if module.training:
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    yield module, name, buffer
