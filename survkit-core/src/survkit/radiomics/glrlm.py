"""The 16 features of the grey level run length matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.lines import lines, run_lengths, run_starts
from survkit.radiomics.neighbours import half_offsets
from survkit.radiomics.size_matrix import describe_sizes


def glrlm_features(levels: GreyLevels) -> dict[str, Tensor]:
    """Compute the features in each direction and return their means.

    A run ends at the mask's border. A direction counts where at least one of its lines holds two
    voxels of the region; without such a direction all features are NaN.

    Returns:
        float64 (region) by feature name.

    Reference: Galloway (1975); Chu et al. (1990); Zwanenburg et al., IBSI reference manual
    (2019), 3.7; pyradiomics documentation, GLRLM.
    """
    matrix = _run_matrix(levels)
    size = torch.arange(1, matrix.shape[-1] + 1, dtype=torch.float64, device=matrix.device)
    run = describe_sizes(matrix, levels.level, size)
    features = {
        "ShortRunEmphasis": run.small,
        "LongRunEmphasis": run.large,
        "GrayLevelNonUniformity": run.level_squares * run.total,
        "GrayLevelNonUniformityNormalized": run.level_squares,
        "RunLengthNonUniformity": run.size_squares * run.total,
        "RunLengthNonUniformityNormalized": run.size_squares,
        "RunPercentage": run.total / levels.count.sum(dim=1),
        "GrayLevelVariance": run.level_variance,
        "RunVariance": run.size_variance,
        "RunEntropy": run.entropy,
        "LowGrayLevelRunEmphasis": run.low,
        "HighGrayLevelRunEmphasis": run.high,
        "ShortRunLowGrayLevelEmphasis": run.small_low,
        "ShortRunHighGrayLevelEmphasis": run.small_high,
        "LongRunLowGrayLevelEmphasis": run.large_low,
        "LongRunHighGrayLevelEmphasis": run.large_high,
    }
    left_out = run.total == 0
    return {
        name: value.masked_fill(left_out, torch.nan).nanmean(dim=0)
        for name, value in features.items()
    }


def _run_matrix(levels: GreyLevels) -> Tensor:
    """Count runs: float64 (direction, region, depth, length); 0 in directions left out."""
    coded = levels.coded.flatten(1)
    longest = max(levels.box)
    counted = []
    for offset in half_offsets(levels.box):
        order, line = lines(levels.box, offset, coded.device)
        along = coded.index_select(1, order)
        starts = run_starts(along, line)
        length = run_lengths(starts, along.numel())
        cell = along.flatten()[starts] * longest + (length - 1)
        runs = torch.bincount(cell, minlength=len(coded) * levels.width * longest)
        if levels.masked:
            runs = runs * _counts(levels, order, line)
        counted.append(runs)
    if not counted:
        return levels.level.new_zeros(0, *levels.level.shape, longest)
    return levels.inside(torch.stack(counted))


def _counts(levels: GreyLevels, order: Tensor, line: Tensor) -> Tensor:
    """Whether some line of this direction holds two voxels of the mask, which all regions share."""
    inside = levels.rank[0].flatten()[order] < levels.depth
    return (torch.bincount(line[inside]) > 1).any()
