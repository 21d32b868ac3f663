"""What matrices of grey level by size (runs, zones, dependences) are described with."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.radiomics.entropy import entropy


@dataclass(frozen=True, slots=True)
class SizeMatrix:
    """Descriptions of one matrix, float64 (...); NaN where the matrix is empty.

    Attributes:
        total: Number of runs, zones or dependences.
        small: Mean of 1 / size^2; ``large``: of size^2.
        low: Mean of 1 / level^2; ``high``: of level^2.
        small_low: Mean of 1 / (size level)^2, and so the other three.
        level_squares: Sum over levels of the squared share of the level.
        size_squares: Sum over sizes of the squared share of the size.
        level_variance: Variance of the level; ``size_variance``: of the size.
        entropy: Entropy of level and size together, in bits.
    """

    total: Tensor
    small: Tensor
    large: Tensor
    low: Tensor
    high: Tensor
    small_low: Tensor
    small_high: Tensor
    large_low: Tensor
    large_high: Tensor
    level_squares: Tensor
    size_squares: Tensor
    level_variance: Tensor
    size_variance: Tensor
    entropy: Tensor


def describe_sizes(matrix: Tensor, level: Tensor, size: Tensor) -> SizeMatrix:
    """Describe matrices of counts.

    Args:
        matrix: float64 counts (..., region, depth, size).
        level: The grey level of each row (region, depth).
        size: The size of each column (size).

    Reference: Galloway (1975); Thibault et al. (2009); Sun and Wee (1983), whose matrices have
    the same descriptions: Zwanenburg et al., IBSI reference manual (2019), 3.7, 3.8 and 3.11.
    """
    total = matrix.sum(dim=(-2, -1))
    share = matrix / total[..., None, None]
    of_level, of_size = share.sum(dim=-1), share.sum(dim=-2)
    level_square, size_square = level.square(), size.square()
    per_level = torch.stack([1 / level_square, level_square], dim=-2)
    per_size = torch.stack([1 / size_square, size_square], dim=-1)
    both = per_level @ share @ per_size
    sizes = of_size @ per_size
    mean_level, mean_size = (of_level * level).sum(dim=-1), of_size @ size
    return SizeMatrix(
        total=total,
        small=sizes[..., 0],
        large=sizes[..., 1],
        low=(of_level * per_level[:, 0]).sum(dim=-1),
        high=(of_level * per_level[:, 1]).sum(dim=-1),
        small_low=both[..., 0, 0],
        small_high=both[..., 1, 0],
        large_low=both[..., 0, 1],
        large_high=both[..., 1, 1],
        level_squares=of_level.square().sum(dim=-1),
        size_squares=of_size.square().sum(dim=-1),
        level_variance=(of_level * (level - mean_level[..., None]).square()).sum(dim=-1),
        size_variance=(of_size * (size - mean_size[..., None]).square()).sum(dim=-1),
        entropy=entropy(share, dim=(-2, -1)),
    )
