"""The 24 features of the grey level co-occurrence matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.entropy import EPSILON, entropy
from survkit.radiomics.glcm_matrix import cooccurrence
from survkit.radiomics.grey_levels import GreyLevels


def glcm_features(levels: GreyLevels, distance: int) -> dict[str, Tensor]:
    """Compute the features in each direction; their mean is the mean over directions with pairs.

    Of a direction whose pairs all have one level, the correlation is 1 and the informational
    measures are 0; the maximal correlation coefficient is 1 where the region has one level, else
    0. Where no voxel has a neighbour all are NaN, but for that 1.

    Returns:
        float64 (region) by feature name.

    Reference: Haralick et al. (1973); Zwanenburg et al., IBSI reference manual (2019), 3.6;
    pyradiomics documentation, GLCM.
    """
    counts = cooccurrence(levels, distance)
    total = counts.sum(dim=(-2, -1))
    joint = counts / total[..., None, None].double()
    margin = joint.sum(dim=-1)
    features = {
        **_moments(joint, margin, levels.level),
        **_sums_and_differences(counts, total, levels),
        **_information(joint, margin),
        "JointEnergy": joint.square().sum(dim=(-2, -1)),
        "MaximumProbability": joint.amax(dim=(-2, -1)),
        "MCC": _maximal_correlation(joint, margin, levels.count),
    }
    return {name: value.nanmean(dim=0) for name, value in features.items()}


def _moments(joint: Tensor, margin: Tensor, level: Tensor) -> dict[str, Tensor]:
    """Everything that is a moment of the two levels, from centred powers up to the fourth."""
    mean = (margin * level).sum(dim=-1)
    centred = level - mean[..., None]
    powers = torch.stack([torch.ones_like(centred), centred, centred**2, centred**3, centred**4])
    powers = powers.movedim(0, -2)
    moment = powers @ joint @ powers.mT
    variance, covariance = moment[..., 2, 0], moment[..., 1, 1]
    flat = (margin > 0).sum(dim=-1) == 1
    correlation = torch.where(flat, 1.0, covariance / variance)
    return {
        "JointAverage": mean,
        "SumAverage": 2 * mean,
        "SumSquares": variance,
        "Autocorrelation": covariance + mean.square(),
        "Correlation": correlation,
        "ClusterTendency": 2 * (variance + covariance),
        "ClusterShade": 2 * moment[..., 3, 0] + 6 * moment[..., 2, 1],
        "ClusterProminence": 2 * moment[..., 4, 0] + 8 * moment[..., 3, 1] + 6 * moment[..., 2, 2],
    }


def _sums_and_differences(counts: Tensor, total: Tensor, levels: GreyLevels) -> dict[str, Tensor]:
    """Everything that depends on the sum or the distance of the two levels."""
    level = levels.level.long()
    top = int(level.max())
    first, second = level[:, :, None], level[:, None, :]
    of_sum = _gather(counts, first + second, 2 * top + 1) / total[..., None].double()
    apart = _gather(counts, (first - second).abs(), top) / total[..., None].double()
    step = torch.arange(top, dtype=torch.float64, device=counts.device)
    average = apart @ step
    per_level = step / levels.highest[:, None]
    inverse_square = torch.cat([step[:1], 1 / step[1:].square()])
    return {
        "Contrast": apart @ step.square(),
        "DifferenceAverage": average,
        "DifferenceVariance": (apart * (step - average[..., None]).square()).sum(dim=-1),
        "DifferenceEntropy": entropy(apart),
        "Id": apart @ (1 / (1 + step)),
        "Idm": apart @ (1 / (1 + step.square())),
        "Idn": (apart / (1 + per_level)).sum(dim=-1),
        "Idmn": (apart / (1 + per_level.square())).sum(dim=-1),
        "InverseVariance": apart @ inverse_square,
        "SumEntropy": entropy(of_sum),
    }


def _gather(counts: Tensor, place: Tensor, size: int) -> Tensor:
    """Add the cells of each matrix that have the same place: (direction, region, size)."""
    flat = counts.flatten(2)
    gathered = flat.new_zeros(*flat.shape[:2], size)
    return gathered.scatter_add_(2, place.flatten(1).expand_as(flat), flat)


def _information(joint: Tensor, margin: Tensor) -> dict[str, Tensor]:
    independent = margin[..., :, None] * margin[..., None, :]
    logarithm = torch.log2(independent + EPSILON)
    own, together = entropy(margin), entropy(joint, dim=(-2, -1))
    crossed = -(joint * logarithm).sum(dim=(-2, -1))
    if_independent = -(independent * logarithm).sum(dim=(-2, -1))
    shared = (if_independent - together).clamp_min(0)
    several = (margin > 0).sum(dim=-1) != 1
    return {
        "JointEntropy": together,
        "Imc1": torch.where(several, (together - crossed) / own, 0.0),
        "Imc2": torch.where(several, (1 - torch.exp(-2 * shared)).sqrt(), 0.0),
    }


def _maximal_correlation(joint: Tensor, margin: Tensor, count: Tensor) -> Tensor:
    """Second largest singular value of p(i, j) / sqrt(p(i) p(j)), which is symmetric.

    Its square is the second largest eigenvalue of Haralick's Q. The largest one belongs to
    sqrt(p(i)); taking that part away leaves the wanted one as the largest in size.
    """
    root = margin.sqrt()
    scale = torch.where(margin > 0, 1 / root, 0.0)
    rest = joint * scale[..., :, None] * scale[..., None, :]
    rest = rest - root[..., :, None] * root[..., None, :]
    known = torch.nan_to_num(rest)  # directions without pairs; they are left out below
    largest = torch.linalg.eigvalsh(known).abs().amax(dim=-1)
    one_level = (count > 0).sum(dim=-1) == 1
    largest = torch.where(margin.sum(dim=-1).isnan(), torch.nan, largest)
    return torch.where(one_level, 1.0, largest)
