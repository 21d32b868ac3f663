"""The outline of a region of interest on a picture or a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_outline(
    axes: Axes, region: Any, size: tuple[float, float], *, color: str, line: float
) -> None:
    """Draw the edge of a region, bool (y, x), over a picture of that width and height; nothing for
    an empty one.
    """
    if not region.any():
        return
    width, height = size
    padded = np.pad(region.astype(float), 1)  # a region at the edge has an outline too
    down, across = height / region.shape[0], width / region.shape[1]
    x = (np.arange(padded.shape[1]) - 0.5) * across
    y = (np.arange(padded.shape[0]) - 0.5) * down
    axes.contour(x, y, padded, levels=[0.5], colors=color, linewidths=line)
    axes.set_xlim(0, width)
    axes.set_ylim(height, 0)
