"""A figure as a small image of pixels, for pages that hold photographs or scans."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from survkit.errors import RunError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 144
_QUALITIES = (90, 80, 70, 60, 50, 40)


def raster(figure: Figure, *, limit: int) -> tuple[bytes, str]:
    """Return the figure as PNG where that is small enough, else as JPEG, and which of both.

    Call it inside :func:`survkit.report.figure.canvas`.

    Args:
        figure: What is drawn.
        limit: Most bytes.

    Raises:
        RunError: Not even the coarsest JPEG is small enough.
    """
    written = _saved(figure, format="png", metadata={"Software": None})
    if len(written) <= limit:
        return written, "png"
    for quality in _QUALITIES:
        written = _saved(figure, format="jpeg", pil_kwargs={"quality": quality, "optimize": True})
        if len(written) <= limit:
            return written, "jpeg"
    raise RunError(f"a picture takes {len(written)} bytes, more than {limit}; show fewer slices")


def _saved(figure: Figure, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI, facecolor="white", **settings)
    return buffer.getvalue()
