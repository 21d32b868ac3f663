"""Which code is nearest."""

from __future__ import annotations

import torch
from torch import Tensor

TOKENS_AT_ONCE = 4096
"""Bounds the memory of the distances: 16 MiB at 1,024 codes."""


def nearest_code(tokens: Tensor, codebook: Tensor) -> Tensor:
    """Return the index of the code with the smallest Euclidean distance, the lowest among equals.

    Distances are expanded squares, of which ``|token|²`` is left out, in at least float32 also
    under autocast. Expanded squares lose digits where tokens and codes lie far from the origin, so
    the mean code is taken off both first.

    Args:
        tokens: (token, dim), any floating type.
        codebook: (code, dim).

    Returns:
        int64 (token).
    """
    with torch.no_grad(), torch.autocast(tokens.device.type, enabled=False):
        codes = codebook.to(torch.promote_types(codebook.dtype, torch.float32))
        centre = codes.mean(dim=0)
        codes = codes - centre
        square = codes.square().sum(dim=1)
        nearest = []
        for begin in range(0, max(len(tokens), 1), TOKENS_AT_ONCE):
            part = tokens[begin : begin + TOKENS_AT_ONCE].to(codes.dtype) - centre
            nearest.append(torch.addmm(square, part, codes.T, alpha=-2).argmin(dim=1))
        return torch.cat(nearest)
