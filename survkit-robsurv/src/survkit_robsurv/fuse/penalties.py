"""What patch-wise fusion is penalised for: disagreement, and forgetting what it fused."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor


def align_penalty(query: Tensor, key: Tensor) -> Tensor:
    """Return minus the mean over patches of cos(Q[i], K[i]); in [-1, 1], low is aligned; (batch).

    The cosine with a vector of zeros is 0, with a bounded gradient.

    Args:
        query: Of one modality's patches, heads side by side; (batch, patch, width).
        key: Of the other's.

    Reference: Farooq et al. (2025), arXiv 2505.02529, eq. 9. Its sum runs over "N" that may be
        patients or patches; here it is the mean over patches.
    """
    return -(_unit(query) * _unit(key)).sum(2).mean(1)


def forgetting(fused: Tensor, patches: Tensor) -> Tensor:
    """Return the mean over patches of ||F - E||_2 / sqrt(dim); >= 0; (batch).

    The gradient where F equals E is zero.

    Args:
        fused: F, (batch, patch, dim).
        patches: E of one modality, (batch, patch, dim).

    Reference: Farooq et al. (2025), arXiv 2505.02529, a term of eq. 10, whose norm is over
        everything; the mean over patches and the division make it independent of both numbers.
    """
    difference = _wide(fused) - _wide(patches)
    norm: Tensor = torch.linalg.vector_norm(difference, dim=2)
    return norm.mean(1) / sqrt(fused.shape[2])


def _unit(vectors: Tensor) -> Tensor:
    """Return the vectors at length one; those of zeros as they are."""
    vectors = _wide(vectors)
    length = torch.linalg.vector_norm(vectors, dim=2, keepdim=True)
    return vectors / torch.where(length > 0, length, 1)


def _wide(values: Tensor) -> Tensor:
    """Return the values in float32 or wider."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
