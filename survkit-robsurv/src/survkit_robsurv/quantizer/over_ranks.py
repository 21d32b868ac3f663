"""Sums and unions over the processes of a distributed training, and over one where there is one."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def is_distributed() -> bool:
    """Whether there are other processes to ask."""
    return distributed.is_available() and distributed.is_initialized()


def summed(tensor: Tensor) -> Tensor:
    """Return the sum of every rank's tensor, on every rank; the one given is left alone."""
    total = tensor.clone()
    if is_distributed():
        distributed.all_reduce(total)
    return total


def joined(tensor: Tensor) -> Tensor:
    """Return every rank's tensor of this shape, one after the other along the first axis."""
    if not is_distributed():
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(distributed.get_world_size())]
    distributed.all_gather(parts, tensor.contiguous())
    return torch.cat(parts)
