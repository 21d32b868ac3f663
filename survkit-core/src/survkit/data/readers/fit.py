"""A picture brought to the declared size: stretched, padded or cropped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Fit = Literal["stretch", "pad", "crop"]
Size = tuple[int, int]


def fitted(
    plane: NDArray[Any], size: Sequence[int] | None, fit: Fit, *, nearest: bool = False
) -> NDArray[Any]:
    """Resize a plane; a padded one is not padded yet, so that its own values can be windowed.

    Bilinear, averaging over the pixels that a smaller picture joins; ``nearest`` for masks. With
    ``"crop"`` the middle part of the declared aspect is taken.

    Args:
        plane: (y, x).
        size: Declared, as (y, x); ``None`` leaves the plane as it is.
        fit: Of :class:`survkit.data.modality_config.ImageModality`.
        nearest: Take the nearest pixel, so that a mask stays one.

    Returns:
        (y, x), of the declared size but for ``"pad"``.
    """
    from PIL import Image

    height, width = plane.shape
    inner = inner_size((height, width), size, fit)
    if inner == (height, width):
        return plane
    box = (0.0, 0.0, float(width), float(height))
    if fit == "crop":
        scale = min(height / inner[0], width / inner[1])
        high, wide = inner[0] * scale, inner[1] * scale
        top, left = (height - high) / 2, (width - wide) / 2
        box = (left, top, left + wide, top + high)
    rule = Image.Resampling.NEAREST if nearest else Image.Resampling.BILINEAR
    resized = Image.fromarray(plane).resize((inner[1], inner[0]), rule, box=box)
    return np.asarray(resized)


def inner_size(of: Size, size: Sequence[int] | None, fit: Fit) -> Size:
    """Return height and width that a picture of a size has before it is padded."""
    if size is None:
        return of
    if fit != "pad":
        return size[0], size[1]
    scale = min(size[0] / of[0], size[1] / of[1])
    return max(1, round(of[0] * scale)), max(1, round(of[1] * scale))


def padded(plane: NDArray[Any], size: Sequence[int] | None, fill: float | bool) -> NDArray[Any]:
    """Return the plane in the middle of one of the declared size; an odd rest goes below, right."""
    if size is None or plane.shape == tuple(size):
        return plane
    whole = np.full(tuple(size), fill, dtype=plane.dtype)
    top, left = (size[0] - plane.shape[0]) // 2, (size[1] - plane.shape[1]) // 2
    whole[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    return whole


def stretching(of: Size, size: Sequence[int]) -> float:
    """Return how much more one side is stretched than the other, as a share; 0 keeps the aspect."""
    one, other = size[0] / of[0], size[1] / of[1]
    return max(one, other) / min(one, other) - 1
