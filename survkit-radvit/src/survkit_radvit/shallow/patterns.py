"""Orthonormal patterns, and noise on them."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from survkit.errors import ConfigError


def orthonormal_patterns(count: int, dim: int, generator: Generator) -> Tensor:
    """Return rows of length 1 that are orthogonal to each other, evenly over all rotations;
    float64 (count, dim).

    The Q of the QR decomposition of a Gaussian matrix, its signs set by the diagonal of R.

    Raises:
        ConfigError: There are more patterns than dimensions.
    """
    if not 1 <= count <= dim:
        raise ConfigError(
            f"{count} orthonormal patterns need {count} or more dimensions, not {dim}"
        )
    gauss = torch.randn(dim, count, generator=generator, dtype=torch.float64)
    q, r = torch.linalg.qr(gauss)
    patterns: Tensor = (q * r.diagonal().sign()).T
    return patterns.contiguous()


def with_noise(tokens: Tensor, noise: float, generator: Generator) -> Tensor:
    """Return the tokens plus Gaussian noise of this SD per coordinate, as float32."""
    added = torch.randn(tokens.shape, generator=generator, dtype=tokens.dtype)
    return (tokens + noise * added).float()
