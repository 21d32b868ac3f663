"""Whether intensities are on a scale that can be cut into gray levels, and a scale that can."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit.radiomics import RadiomicsSettings

Scale = Literal["none", "min-max-255"]


def on_scale(values: Tensor, scale: Scale, settings: RadiomicsSettings, *, source: str) -> Tensor:
    """Return intensities as the features are to see them, float64.

    Args:
        values: Intensities of the image, or of its region of interest.
        scale: ``none``: as they are; ``min-max-255``: their own lowest to 0 and highest to 255.
        settings: How they will be cut into gray levels.
        source: Where they came from, for messages.

    Raises:
        DataError: They are all equal, or lie within a single bin's width.
    """
    exact = values.to(torch.float64)
    low, high = exact.min(), exact.max()
    if not low < high:
        raise DataError(
            f"{source}: every pixel that radiomics would read is {float(low):g}; leave the subject "
            "out or correct the image"
        )
    if scale == "min-max-255":
        return (exact - low) * 255 / (high - low)
    width = settings.bin_width
    if width is not None and high - low < width:
        raise DataError(
            f"{source}: intensities from {float(low):g} to {float(high):g} are one gray level at "
            f"bin_width {width:g}; take the window out of the cohort file, or set scale: "
            "min-max-255, or bin_width: null and bin_count: 32"
        )
    return exact


def check_scale(scale: str) -> None:
    """Refuse a scale that there is not."""
    if scale not in get_args(Scale):
        raise ConfigError(f"scale is one of {', '.join(get_args(Scale))}, not {scale!r}")
