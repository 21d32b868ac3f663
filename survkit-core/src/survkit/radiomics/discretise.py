"""Intensities to grey levels, by bins of one width or by a number of bins."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.radiomics.settings import MAX_BINS, RadiomicsSettings


def discretise(values: Tensor, settings: RadiomicsSettings) -> Tensor:
    """Return the grey levels (1 for the lowest bin) of each region's intensities.

    Bins of one width begin at the largest multiple of the width that is not above the region's
    minimum: level = floor(x / width) - floor(minimum / width) + 1. With a number of bins they
    divide minimum to maximum equally and the maximum belongs to the last one; a flat region
    lies in bin ``count // 2 + 1``. A value on an edge belongs to the upper bin, where the edges
    are lowest edge + k * step in float64, as numpy's ``arange`` and ``linspace`` place them.

    Args:
        values: float64 intensities (region, voxel); finite.
        settings: Width or number of the bins.

    Returns:
        int64 levels (region, voxel).

    Raises:
        DataError: A region spans more than 65,536 bins of this width, or the width is less than
            what float64 tells apart at its intensities.
    """
    minimum, maximum = (bound[:, None] for bound in torch.aminmax(values, dim=1))
    if settings.bin_width is not None:
        lowest = minimum - torch.remainder(minimum, settings.bin_width)
        step = (lowest + settings.bin_width) - lowest
        _check_span(lowest, maximum, settings.bin_width)
        flat = minimum == maximum  # of which a width too small for float64 makes nothing else
        _check_step(step, flat, minimum, settings.bin_width)
        return torch.where(flat, 1, _bin_index(values, lowest, torch.where(flat, 1.0, step)) + 1)
    count = int(settings.bin_count or 0)
    flat = minimum == maximum
    lowest = torch.where(flat, minimum - 0.5, minimum)
    step = torch.where(flat, torch.ones_like(minimum), maximum - minimum) / count
    level = _bin_index(values, lowest, step) + 1
    return torch.where(values == maximum, torch.where(flat, count // 2 + 1, count), level)


def _bin_index(values: Tensor, lowest: Tensor, step: Tensor) -> Tensor:
    """Number of the bin that holds each value; what division rounds, the edges put right."""
    index = ((values - lowest) / step).floor_()
    index += values >= lowest + (index + 1) * step
    index -= (values < lowest + index * step).to(index.dtype)
    return index.long()


def _check_span(lowest: Tensor, maximum: Tensor, width: float) -> None:
    span = maximum - lowest
    widest = int(span.argmax())
    bins = float(span[widest]) / width
    if not bins < MAX_BINS:
        raise DataError(
            f"a region may span at most {MAX_BINS} grey levels, but one with values up to "
            f"{float(maximum[widest]):g} spans {bins:.3g} bins of width {width:g} from "
            f"{float(lowest[widest]):g}; choose a larger bin_width or a bin_count"
        )


def _check_step(step: Tensor, flat: Tensor, minimum: Tensor, width: float) -> None:
    """Refuse a width that is lost beside the intensities, which are not all one."""
    lost = ((step == 0) & ~flat).nonzero()
    if len(lost):
        raise DataError(
            f"bins of width {width:g} from {float(minimum[lost[0, 0]]):g} on cannot be told apart "
            "in float64; choose a larger bin_width or a bin_count"
        )
