"""Slices side by side in one grey scale: what a corruption looks like."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from survkit.report.figure import ORANGE, Picture, canvas, picture


class Panel(NamedTuple):
    """One slice.

    Attributes:
        label: What is written above it.
        values: Intensities (y, x), the first row at the top.
        region: Where the region of interest is; bool (y, x).
    """

    label: str
    values: NDArray[np.float64]
    region: NDArray[np.bool_] | None = None


def strip_figure(panels: Sequence[Panel], *, title: str) -> Picture:
    """Draw the panels in the grey scale of the first, with the outline of the region."""
    low, high = float(panels[0].values.min()), float(panels[0].values.max())
    with canvas(1.5 * len(panels), 1.9) as figure:
        figure.suptitle(title, fontsize=10.5)
        axes = figure.subplots(1, len(panels), squeeze=False)[0]
        for place, panel in zip(axes, panels, strict=True):
            place.imshow(
                panel.values, cmap="gray", vmin=low, vmax=max(high, low + 1e-12),
                interpolation="nearest",
            )  # fmt: skip
            if panel.region is not None and panel.region.any() and not panel.region.all():
                place.contour(panel.region, levels=[0.5], colors=ORANGE, linewidths=1.2)
            place.set_title(panel.label, fontsize=9)
            place.set_axis_off()
        said = ", ".join(panel.label for panel in panels)
        return picture(
            figure,
            alt=f"{title}: the same slice {said}.",
            caption="Central slice of one subject; all panels in the grey scale of the first.",
        )


def svg_of(found: Picture) -> bytes:
    """Return the SVG that a picture holds."""
    return base64.b64decode(found.source.partition(",")[2])
