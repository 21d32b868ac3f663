"""A picture that travels inside the page: drawn without a display, with a text for who cannot see
it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY, GREY = "#CC79A7", "#56B4E9", "#5f6b76"
"""Okabe & Ito (2008), distinguishable with every common colour vision deficiency."""

GROUP_COLOURS = {2: (BLUE, VERMILION), 3: (BLUE, ORANGE, VERMILION)}

_STYLE: Any = {  # its keys are typed as a list of literals, too long to repeat
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a949e",
    "axes.labelcolor": "#1d2329",
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.8,
    "xtick.color": "#3c454d",
    "ytick.color": "#3c454d",
    "legend.frameon": False,
    "svg.hashsalt": "survkit",
    "figure.dpi": 96,
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of the report.

    Attributes:
        source: A ``data:`` address that holds the SVG itself, or the PNG or JPEG of a scan.
        alt: What the picture shows, with its main numbers.
        caption: How to read it.
    """

    source: str
    alt: str
    caption: str


@contextmanager
def canvas(width: float, height: float) -> Iterator[Figure]:
    """Give a figure in survkit's style; sizes in inches, narrow enough to be read on a phone."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(_STYLE):
        yield Figure(figsize=(width, height), layout="constrained")


def percent_tick(value: float, position: int | None = None) -> str:
    """Write a probability under an axis as a percentage, with a decimal where it has one."""
    return f"{round(100 * value, 1):g}%"


def picture(figure: Figure, *, alt: str, caption: str) -> Picture:
    """Embed the figure; call it inside :func:`canvas`. The same figure gives the same bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    encoded = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(f"data:image/svg+xml;base64,{encoded}", alt, caption)
