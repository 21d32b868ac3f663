"""Intensities clipped to a window and mapped to [-1, 1]."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError

Ends = tuple[float, float]


def window_ends(values: NDArray[Any], window: Sequence[float | str], path: Path) -> Ends:
    """Return a window's ends; ``"p99.9"`` is that percentile of the values.

    Percentiles are interpolated linearly between values, as numpy's default.

    Raises:
        DataError: The lower end is not below the upper one.
    """
    low, high = (
        float(np.percentile(values, float(end[1:]))) if isinstance(end, str) else float(end)
        for end in window
    )
    if not low < high:
        raise DataError(
            f"{path}: the window [{window[0]}, {window[1]}] is empty: it is from {low:g} to "
            f"{high:g} in this image, whose intensities go from {values.min():g} to "
            f"{values.max():g}; check the file, or give another window"
        )
    return low, high


def windowed(values: NDArray[np.float32], window: Ends) -> NDArray[np.float32]:
    """Clip to the window and map its ends to -1 and 1."""
    low, high = window
    return ((np.clip(values, low, high) - low) * (2 / (high - low)) - 1).astype(np.float32)
