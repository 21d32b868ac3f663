"""The 5 features of the neighbouring grey tone difference matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.neighbours import half_offsets, pair_views

COARSEST = 1e6
"""Coarseness of a region in which no voxel differs from its neighbours."""


def ngtdm_features(levels: GreyLevels, distance: int) -> dict[str, Tensor]:
    """Compute the features of how voxels differ from the mean of their neighbours in the mask.

    A voxel without a neighbour counts and differs by 0, as in pyradiomics. Where no voxel differs,
    coarseness is 1e6 and the other features are 0.

    Returns:
        float64 (region) by feature name.

    Reference: Amadasun and King (1989); Zwanenburg et al., IBSI reference manual (2019), 3.10;
    pyradiomics documentation, NGTDM.
    """
    difference = _tone_differences(levels, distance)
    number = levels.count.double()
    voxels = number.sum(dim=1)
    share = number / voxels[:, None]
    present = number > 0
    several = present.sum(dim=1)
    level, total = levels.level, difference.sum(dim=1)
    weighted = (share * difference).sum(dim=1)
    mean = (share * level).sum(dim=1, keepdim=True)
    variance = (share * (level - mean).square()).sum(dim=1)
    ways = several * (several - 1)
    return {
        "Coarseness": torch.where(weighted > 0, 1 / weighted, COARSEST),
        "Contrast": _ratio(2 * variance * total, ways * voxels),
        "Busyness": _ratio(weighted, _apart(level * share, present)),
        "Complexity": _complexity(share, difference, level) / voxels,
        "Strength": _ratio(_strength(share, level, present), total),
    }


def _tone_differences(levels: GreyLevels, distance: int) -> Tensor:
    """Sum of the differences over the voxels of each level: float64 (region, depth).

    |level - total / n| = |n level - total| / n: the numerators are whole numbers and added as
    such, apart for each n, so that the sums do not depend on any order.
    """
    offsets = half_offsets(levels.box, distance)
    zero = levels.level.new_zeros(len(levels.level), 1)
    table = torch.cat([levels.level, zero], dim=1).int()
    value = table.gather(1, levels.rank.flatten(1)).view_as(levels.rank)
    shown = levels.rank if levels.masked else levels.rank[:1]
    inside = (shown < levels.depth).int()
    total, around = torch.zeros_like(value), torch.zeros_like(inside)
    for offset in offsets:
        for source, target in ((value, total), (inside, around)):
            first, second = pair_views(source, offset)
            first_target, second_target = pair_views(target, offset)
            first_target += second
            second_target += first
    most = 2 * len(offsets) + 1
    cell = (levels.coded * most + around).flatten()
    numerator = (around * value - total).abs().flatten().long()
    cells = len(levels.rank) * levels.width * most
    summed = levels.inside(cell.new_zeros(cells).scatter_add_(0, cell, numerator))
    neighbours = torch.arange(1, most, dtype=torch.float64, device=cell.device)
    return (summed[..., 1:] / neighbours).sum(dim=-1)


def _ratio(numerator: Tensor, denominator: Tensor) -> Tensor:
    return torch.where(denominator != 0, numerator / denominator, 0.0)


def _apart(weight: Tensor, present: Tensor) -> Tensor:
    """Sum of |w_i - w_j| over all ordered pairs of present levels, by sorting: O(n log n)."""
    in_order = torch.where(present, weight, 0.0).sort(dim=1).values  # absent ones come first
    several = present.sum(dim=1, keepdim=True)
    depth = weight.shape[1]
    place = torch.arange(depth, device=weight.device) - (depth - several)
    return 2 * ((2 * place - several + 1) * in_order).sum(dim=1)


def _complexity(share: Tensor, difference: Tensor, level: Tensor) -> Tensor:
    product = share * difference
    together = share[:, :, None] + share[:, None, :]
    both = (share[:, :, None] > 0) & (share[:, None, :] > 0)
    change = (product[:, :, None] + product[:, None, :]) / together
    step = (level[:, :, None] - level[:, None, :]).abs()
    return torch.where(both, step * change, 0.0).sum(dim=(1, 2))


def _strength(share: Tensor, level: Tensor, present: Tensor) -> Tensor:
    """Sum of (p_i + p_j) (i - j)^2 over ordered pairs of present levels, around their mean."""
    several = present.sum(dim=1, keepdim=True)
    middle = torch.where(present, level, 0.0).sum(dim=1, keepdim=True) / several
    squared = torch.where(present, (level - middle).square(), 0.0)
    return 2 * (share * (several * squared + squared.sum(dim=1, keepdim=True))).sum(dim=1)
