"""The figures of an experiment: a panel per part, a line per curve, a band for the seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from survkit.atomic_write import write_bytes
from survkit.report.figure import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILION,
    Picture,
    canvas,
    picture,
)
from survkit.report.strip_figure import svg_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (BLUE, VERMILION, GREY, GREEN, ORANGE, PURPLE)
_COLUMNS = 2


def draw_figures(content: Mapping[str, Any], folder: Path) -> None:
    """Draw the figures as SVG, and note file and alternative text of each in the content; one
    without curves is left out.
    """
    for figure in content["figures"]:
        panels = [
            (part["name"], curves)
            for part in content["parts"]
            if (curves := [one for one in part["curves"] if one["figure"] == figure["name"]])
        ]
        if not panels:
            continue
        drawn = _drawn(figure, panels)
        name = f"{figure['name']}.svg"
        write_bytes(folder / name, svg_of(drawn))
        figure |= {"file": name, "alt": drawn.alt}


def _drawn(
    figure: Mapping[str, Any], panels: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
) -> Picture:
    """Draw the panels, two beside each other, on common axes."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    with canvas(3.8 * columns + 0.4, 2.9 * rows + 0.4) as drawing:
        grid = drawing.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        places = [axes for row in grid for axes in row]
        for axes, (part, curves) in zip(places, panels, strict=False):
            _panel(axes, part, curves)
            axes.set_xlabel(figure["x_label"])
            axes.set_ylabel(figure["y_label"])
            axes.label_outer()
        for axes in places[len(panels) :]:
            axes.set_axis_off()
        places[0].legend(fontsize=9)
        drawing.suptitle(figure["title"], fontsize=10.5)
        return picture(drawing, alt=_said(figure, panels), caption=figure["caption"])


def _said(
    figure: Mapping[str, Any], panels: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]
) -> str:
    """Say where the first line of every panel begins and ends."""
    ends = "; ".join(
        f"{part} from {_mean(curves[0])[0]:.3f} to {_mean(curves[0])[-1]:.3f}"
        for part, curves in panels
    )
    return f"{figure['title']}. Mean over the seeds of '{panels[0][1][0]['label']}': {ends}."


def _panel(axes: Axes, part: str, curves: Sequence[Mapping[str, Any]]) -> None:
    """Draw the mean of each curve over the seeds, and a band from the lowest to the highest."""
    for number, curve in enumerate(curves):
        colour = _COLOURS[number % len(_COLOURS)]
        seeds = [*zip(*curve["y"], strict=True)]
        marker = "o" if len(curve["x"]) < 12 else ""
        axes.plot(
            curve["x"], _mean(curve), color=colour, lw=1.6, marker=marker, ms=4,
            label=curve["label"],
        )  # fmt: skip
        low, high = [min(each) for each in seeds], [max(each) for each in seeds]
        axes.fill_between(curve["x"], low, high, color=colour, alpha=0.18, lw=0)
    axes.set_title(part)


def _mean(curve: Mapping[str, Any]) -> list[float]:
    return [fmean(each) for each in zip(*curve["y"], strict=True)]
