"""The calibration of every cause in one picture of pixels, such as a model card shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.report.calibration_figure import PANEL, draw_calibration, observable
from survkit.report.figure import canvas
from survkit.report.raster import raster

MOST_BYTES = 1_000_000
"""Of the picture; one of ten causes takes a third of it."""
_PANELS_IN_A_ROW = 2


def calibration_sheet(causes: Mapping[str, Mapping[str, Any]]) -> bytes | None:
    """Return a PNG with a panel for each cause; ``None`` where none could be observed.

    The same numbers give the same bytes with the same version of matplotlib; nothing but pixels is
    in them.

    Args:
        causes: As ``metrics.json`` holds them, by name: ``calibration`` and ``calibration_curve``.

    Raises:
        RunError: There are more causes than a picture can hold.
    """
    shown = {name: found for name, found in causes.items() if observable(found["calibration"])}
    if not shown:
        return None
    columns = min(len(shown), _PANELS_IN_A_ROW)
    rows = -(-len(shown) // columns)
    with canvas(PANEL[0] * columns, PANEL[1] * rows) as figure:
        panels = figure.subplots(rows, columns, squeeze=False).flatten()
        for axes, (name, found) in zip(panels, shown.items(), strict=False):
            draw_calibration(axes, found["calibration"], found.get("calibration_curve"))
            if len(causes) > 1:
                axes.set_title(" ".join(name.split()), parse_math=False)
        for axes in panels[len(shown) :]:
            axes.set_axis_off()
        return raster(figure, limit=MOST_BYTES, kinds=("png",))[0]
