"""A picture as colours, and attention laid over it on a scale of multiples of equal weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.explaining.volume_colours import window_of

Colours = NDArray[np.float32]

ORANGE = (1.0, 0.42, 0.0)
OPACITY = 0.75
LEAST_TOP = 2.0
"""Multiple of equal weights that the full colour means at least, so that a map which is nearly the
same everywhere stays pale."""


def picture_colours(planes: NDArray[Any]) -> Colours:
    """Return a picture (channel, y, x) as red, green, blue in [0, 1]; (y, x, 3).

    Three channels are colours, all on one scale; else the first channel is grey. Black and white
    are the ends of the middle 99 % of the intensities.
    """
    shown = planes if len(planes) == 3 else planes[:1]
    low, high = window_of(shown)
    scaled = np.clip((shown.astype(np.float32) - low) / (high - low), 0, 1)
    return np.ascontiguousarray(np.moveaxis(np.broadcast_to(scaled, (3, *scaled.shape[1:])), 0, 2))


def as_grey(colours: Colours) -> Colours:
    """Return colours by their luma (ITU-R BT.601), so that the only colour is that of a map."""
    luma = colours @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    return np.repeat(luma[..., None], 3, axis=2)


def opacity_of(relative: NDArray[Any], top: float) -> NDArray[np.float64]:
    """Return how opaque attention is drawn: it rises with the logarithm of the multiple of equal
    weights, from nothing at 1 and below to its most at ``top`` and above.
    """
    above = np.log(np.maximum(relative, 1)) / np.log(top)
    return np.asarray(OPACITY * np.clip(above, 0, 1))


def laid_over(colours: Colours, relative: NDArray[Any], top: float) -> Colours:
    """Return a picture (y, x, 3) with attention over it, given at its pixels (y, x)."""
    over = opacity_of(relative, top)[..., None].astype(np.float32)
    return np.asarray(colours * (1 - over) + over * np.array(ORANGE, dtype=np.float32))


def top_of(maps: list[NDArray[Any]]) -> float:
    """Return the multiple of equal weights that is drawn in the full colour."""
    return max(LEAST_TOP, *(float(relative.max()) for relative in maps))
