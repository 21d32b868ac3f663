"""The 16 features of the grey level run length matrix."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.lines import lines, run_lengths, run_starts
from survkit.radiomics.neighbours import Offset, half_offsets
from survkit.radiomics.size_cells import SizeCells, occupied, size_cells
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
    directions = half_offsets(levels.box)
    run = describe_sizes(_run_cells(levels, directions))
    features = {
        "ShortRunEmphasis": run.small,
        "LongRunEmphasis": run.large,
        "GrayLevelNonUniformity": run.level_squares * run.total,
        "GrayLevelNonUniformityNormalized": run.level_squares,
        "RunLengthNonUniformity": run.size_squares * run.total,
        "RunLengthNonUniformityNormalized": run.size_squares,
        "RunPercentage": run.total / levels.count.sum(dim=1).repeat(len(directions)),
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
    shape = (len(directions), len(levels.rank))
    left_out = run.total == 0
    return {
        name: value.masked_fill(left_out, torch.nan).view(shape).nanmean(dim=0)
        for name, value in features.items()
    }


def _run_cells(levels: GreyLevels, directions: list[Offset]) -> SizeCells:
    """Count the runs of each direction; none in directions that do not count."""
    coded = levels.coded.flatten(1)
    first = torch.arange(len(coded), device=coded.device)[:, None] * coded.shape[1]
    longest = max(levels.box)
    cells = len(coded) * levels.width * longest
    places, counts = [coded.new_zeros(0)], [coded.new_zeros(0)]
    for number, offset in enumerate(directions):
        order, line = lines(levels.box, offset, coded.device)
        if levels.masked and not _counts(levels, order, line):
            continue
        along = coded.flatten().index_select(0, (first + order).flatten())
        starts = run_starts(along.view_as(coded), line)
        length = run_lengths(starts, along.numel())
        cell = along.index_select(0, starts) * longest + (length - 1)
        place, count = occupied(torch.bincount(cell, minlength=cells))
        places.append(place + number * cells)
        counts.append(count)
    place, count = torch.cat(places), torch.cat(counts)
    return size_cells(levels, place, count, longest, directions=len(directions))


def _counts(levels: GreyLevels, order: Tensor, line: Tensor) -> bool:
    """Whether some line of this direction holds two voxels of the mask, which all regions share."""
    inside = levels.rank[0].flatten()[order] < levels.depth
    return bool((torch.bincount(line[inside]) > 1).any())
