"""The 24 features of the grey level co-occurrence matrix."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from survkit.radiomics.entropy import entropy
from survkit.radiomics.glcm_matrix import CELLS, cooccurrence
from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.names import FEATURE_CLASSES
from survkit.radiomics.neighbours import Offset, half_offsets


def glcm_features(levels: GreyLevels, distance: int) -> dict[str, Tensor]:
    """Compute the features in each direction; their mean is the mean over directions with pairs.

    Of a direction whose pairs all have one level, the correlation is 1 and the informational
    measures are 0; the maximal correlation coefficient is 1 where the region has one level, else
    0. Where no voxel has a neighbour all are NaN.

    Returns:
        float64 (region) by feature name.

    Reference: Haralick et al. (1973); Zwanenburg et al., IBSI reference manual (2019), 3.6;
    pyradiomics documentation, GLCM.
    """
    offsets = half_offsets(levels.box, distance)
    if not offsets:
        nothing = levels.highest.new_full((len(levels.rank),), torch.nan)
        return dict.fromkeys(FEATURE_CLASSES["glcm"], nothing)
    at_once = max(1, CELLS // (len(levels.rank) * levels.depth**2))
    parts = [
        _in_directions(levels, offsets[begin : begin + at_once])
        for begin in range(0, len(offsets), at_once)
    ]
    return {name: torch.cat([part[name] for part in parts]).nanmean(dim=0) for name in parts[0]}


def _in_directions(levels: GreyLevels, offsets: Sequence[Offset]) -> dict[str, Tensor]:
    """Compute the features of each direction: float64 (direction, region), NaN without pairs."""
    counts = cooccurrence(levels, offsets)
    total = counts.sum(dim=(-2, -1))
    pairs = total.clamp_min(1)[..., None].double()
    joint = counts / pairs[..., None]
    margin = joint.sum(dim=-1)
    step = levels.level.long()
    top = int(step.max())
    of_sum = _gather(counts, step[:, :, None] + step[:, None, :], 2 * top + 1) / pairs
    apart = _gather(counts, (step[:, :, None] - step[:, None, :]).abs(), top) / pairs
    features = {
        **_sums(of_sum, apart, margin, levels.level),
        **_differences(apart, levels.highest),
        **_information(joint, margin),
        "JointEnergy": joint.square().sum(dim=(-2, -1)),
        "MaximumProbability": joint.amax(dim=(-2, -1)),
        "MCC": _maximal_correlation(joint, margin, levels.count),
    }
    without = total == 0
    return {name: value.masked_fill(without, torch.nan) for name, value in features.items()}


def _gather(counts: Tensor, place: Tensor, size: int) -> Tensor:
    """Add the cells of each matrix that have the same place: (direction, region, size)."""
    flat = counts.flatten(2)
    gathered = flat.new_zeros(*flat.shape[:2], size)
    return gathered.scatter_add_(2, place.flatten(1).expand_as(flat), flat)


def _sums(of_sum: Tensor, apart: Tensor, margin: Tensor, level: Tensor) -> dict[str, Tensor]:
    """Moments of the two levels and of their sum.

    The matrix is symmetric, so both levels have one mean and one variance, and their covariance
    is a quarter of the variance of the sum less that of the difference.
    """
    mean = (margin * level).sum(dim=-1)
    variance = (margin * (level - mean[..., None]).square()).sum(dim=-1)
    centred = torch.arange(of_sum.shape[-1], device=level.device) - 2 * mean[..., None]
    step = torch.arange(apart.shape[-1], dtype=torch.float64, device=level.device)
    squared = centred.square()
    spread, contrast = (of_sum * squared).sum(dim=-1), apart @ step.square()
    covariance = (spread - contrast) / 4
    return {
        "JointAverage": mean,
        "SumAverage": 2 * mean,
        "SumSquares": variance,
        "SumEntropy": entropy(of_sum),
        "Contrast": contrast,
        "Autocorrelation": covariance + mean.square(),
        "Correlation": torch.where((margin > 0).sum(dim=-1) == 1, 1.0, covariance / variance),
        "ClusterTendency": spread,
        "ClusterShade": (of_sum * squared * centred).sum(dim=-1),
        "ClusterProminence": (of_sum * squared.square()).sum(dim=-1),
    }


def _differences(apart: Tensor, highest: Tensor) -> dict[str, Tensor]:
    """What depends on the distance of the two levels alone."""
    step = torch.arange(apart.shape[-1], dtype=torch.float64, device=apart.device)
    average = apart @ step
    per_level = step / highest[:, None]
    inverse_square = torch.cat([step[:1], 1 / step[1:].square()])
    return {
        "DifferenceAverage": average,
        "DifferenceVariance": (apart * (step - average[..., None]).square()).sum(dim=-1),
        "DifferenceEntropy": entropy(apart),
        "Id": apart @ (1 / (1 + step)),
        "Idm": apart @ (1 / (1 + step.square())),
        "Idn": (apart / (1 + per_level)).sum(dim=-1),
        "Idmn": (apart / (1 + per_level.square())).sum(dim=-1),
        "InverseVariance": apart @ inverse_square,
    }


def _information(joint: Tensor, margin: Tensor) -> dict[str, Tensor]:
    """Entropies; of a symmetric matrix HXY1 and HXY2 are both twice the entropy of one level."""
    own, together = entropy(margin), entropy(joint, dim=(-2, -1))
    shared = (2 * own - together).clamp_min(0)
    several = (margin > 0).sum(dim=-1) != 1
    return {
        "JointEntropy": together,
        "Imc1": torch.where(several, (together - 2 * own) / own, 0.0),
        "Imc2": torch.where(several, (1 - torch.exp(-2 * shared)).sqrt(), 0.0),
    }


def _maximal_correlation(joint: Tensor, margin: Tensor, count: Tensor) -> Tensor:
    """Second largest size of an eigenvalue of p(i, j) / sqrt(p(i) p(j)), which is symmetric.

    Its square is the second largest eigenvalue of Haralick's Q; the largest is 1.
    """
    if joint.shape[-1] == 1:
        return torch.ones_like(margin[..., 0])
    scale = torch.where(margin > 0, margin.rsqrt(), 0.0)
    known = torch.linalg.eigvalsh(joint * scale[..., :, None] * scale[..., None, :])
    second = torch.maximum(-known[..., 0], known[..., -2])
    one_level = (count > 0).sum(dim=-1) == 1
    return torch.where(one_level, 1.0, second.clamp_min(0))
