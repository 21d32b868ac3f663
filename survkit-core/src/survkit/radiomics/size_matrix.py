"""What matrices of grey level by size (runs, zones, dependences) are described with."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from survkit.radiomics.entropy import entropy
from survkit.radiomics.size_cells import SizeCells


@dataclass(frozen=True, slots=True)
class SizeMatrix:
    """Descriptions of each matrix, float64 (matrix); NaN where the matrix is empty.

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


def describe_sizes(cells: SizeCells) -> SizeMatrix:
    """Describe matrices of counts.

    Reference: Galloway (1975); Thibault et al. (2009); Sun and Wee (1983), whose matrices have
    the same descriptions: Zwanenburg et al., IBSI reference manual (2019), 3.7, 3.8 and 3.11.
    """
    total = cells.count.sum(dim=1)
    share = cells.count / total[:, None]
    level_square, size_square = cells.level.square(), cells.size.square()
    below, above = share / size_square, share * size_square
    mean_level = (share * cells.level).sum(dim=1, keepdim=True)
    mean_size = (share * cells.size).sum(dim=1, keepdim=True)
    return SizeMatrix(
        total=total,
        small=below.sum(dim=1),
        large=above.sum(dim=1),
        low=(share / level_square).sum(dim=1),
        high=(share * level_square).sum(dim=1),
        small_low=(below / level_square).sum(dim=1),
        small_high=(below * level_square).sum(dim=1),
        large_low=(above / level_square).sum(dim=1),
        large_high=(above * level_square).sum(dim=1),
        level_squares=(cells.of_level / total[:, None]).square().sum(dim=1),
        size_squares=(cells.of_size / total[:, None]).square().sum(dim=1),
        level_variance=(share * (cells.level - mean_level).square()).sum(dim=1),
        size_variance=(share * (cells.size - mean_size).square()).sum(dim=1),
        entropy=entropy(share),
    )
