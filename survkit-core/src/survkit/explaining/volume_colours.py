"""Values of a volume as colours: grey scales, labels without an order, attention laid over grey."""

from __future__ import annotations

from colorsys import hsv_to_rgb
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colours = NDArray[np.float32]

_GOLDEN = 0.6180339887498949
_OVER = (1.0, 0.42, 0.0)
OPACITY = 0.75
LEAST_TOP = 3.0
"""Multiple of equal weights that the darkest colour means at least, so equal weights are pale."""


def window_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return the intensities that are drawn black and white: the middle 99 % of the volume's."""
    low, high = (float(each) for each in np.percentile(values, [0.5, 99.5]))
    if high <= low:
        low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1)


def label_colours(labels: NDArray[Any]) -> Colours:
    """Return the colour of each label; (y, x, 3).

    A label's colour depends on nothing but the label; hues are a golden section apart, so labels
    that follow each other look different.
    """
    known, place = np.unique(labels, return_inverse=True)
    table = np.array([_colour(int(label)) for label in known], dtype=np.float32)
    return np.asarray(table[place.reshape(labels.shape)])


def _colour(label: int) -> tuple[float, float, float]:
    return hsv_to_rgb(label * _GOLDEN % 1, 0.45 + 0.5 * (label % 2), 1 - 0.22 * (label // 2 % 3))


def top_of(relative: NDArray[Any]) -> float:
    """Return the multiple of equal weights that is drawn in the full colour."""
    return max(LEAST_TOP, float(relative.max()))


def overlay(relative: NDArray[Any], top: float) -> Colours:
    """Return attention as a see-through colour, none at all where there is no attention.

    Args:
        relative: Multiple of equal weights (y, x).
        top: What is drawn in the full colour.

    Returns:
        Red, green, blue, opacity; (y, x, 4).
    """
    found = np.empty((*relative.shape, 4), dtype=np.float32)
    found[..., :3] = _OVER
    found[..., 3] = OPACITY * np.clip(relative / top, 0, 1)
    return found
