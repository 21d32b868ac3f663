"""A figure as a small image of pixels, where a drawing of lines cannot be shown."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from survkit.errors import RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RESOLUTIONS = (144, 110, 80)
_QUALITIES = (90, 80, 70, 60, 50)


def raster(
    figure: Figure, *, limit: int, kinds: Sequence[str] = ("png", "jpeg")
) -> tuple[bytes, str]:
    """Return the figure as PNG where that is small enough, else as JPEG, and which of both.

    First the quality is lowered, then the resolution. Call it inside
    :func:`survkit.report.figure.canvas`.

    Args:
        figure: What is drawn; its layout is settled here.
        limit: Most bytes.
        kinds: Which of both may be given.

    Raises:
        RunError: Not even the coarsest picture is small enough.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # settled; it would be computed anew for every file
    size = 0
    for resolution in _RESOLUTIONS:
        pixels = _pixels(figure, resolution)
        written = _encoded(pixels, format="png", metadata={"Software": None})
        if len(written) <= limit:
            return written, "png"
        for quality in _QUALITIES if "jpeg" in kinds else ():
            written = _encoded(pixels, format="jpeg", pil_kwargs={"quality": quality})
            if len(written) <= limit:
                return written, "jpeg"
        size = len(written)
    raise RunError(f"a picture takes {size} bytes, more than {limit}; show fewer slices")


def _pixels(figure: Figure, resolution: int) -> np.ndarray:
    """Return the figure on white; uint8 (y, x, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)  # its methods have no types
    before = figure.dpi
    figure.set_facecolor("white")
    figure.dpi = resolution
    canvas.draw()
    drawn: np.ndarray = np.array(canvas.buffer_rgba())[..., :3]
    figure.dpi = before
    return drawn


def _encoded(pixels: np.ndarray, **settings: Any) -> bytes:
    from matplotlib.image import imsave

    buffer = io.BytesIO()
    imsave(buffer, np.ascontiguousarray(pixels), **settings)
    return buffer.getvalue()
