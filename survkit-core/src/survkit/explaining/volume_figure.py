"""The picture of a volume: three slices in a row per thing to see, and the prediction."""

from __future__ import annotations

import base64
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np

from survkit.explaining.curve_panels import draw_attention, draw_course, ends_of
from survkit.explaining.outline import draw_outline
from survkit.explaining.planes import PLANES, Plane, cut, size_of
from survkit.explaining.subject_figure import LIMIT, SubjectPicture
from survkit.explaining.volume_colours import label_colours, overlay, top_of, window_of
from survkit.explaining.volume_reading import reading_of
from survkit.explaining.volume_view import ShownRow, VolumeView
from survkit.report.figure import GREY, ORANGE, SKY, canvas
from survkit.report.figure import picture as vector_picture
from survkit.report.raster import raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, TALLEST = 5.2, 2.6
"""Inches: of the picture, and of a row of slices at most."""
_LINE, _GAP, _HEAD, _CURVE = 0.15, 0.12, 0.45, 1.9
_OUTLINE = {"label": (("white", 2.2), ("black", 1.0)), "other": ((SKY, 1.0),)}
"""Colour and width of the region's outline; on colours of codes none but black on white is seen."""
_LETTERS = 66
"""Of a line above a row of slices."""


def volume_picture(view: VolumeView) -> SubjectPicture:
    """Draw one subject and modality."""
    widths, height = _inches(view)
    curves = [_CURVE] * (1 if view.tokens is None else 2)
    rows = [height + _GAP + _LINE * len(_lines(row)) for row in view.rows]
    with canvas(WIDTH, _HEAD + sum(rows) + sum(curves)) as figure:
        figure.suptitle(f"{view.subject}: {view.why}", fontsize=11, x=0.02, ha="left")
        grid = figure.add_gridspec(
            len(rows) + len(curves), len(widths), height_ratios=[*rows, *curves],
            width_ratios=widths,
        )  # fmt: skip
        for number, row in enumerate(view.rows):
            axes = [figure.add_subplot(grid[number, place]) for place in range(len(PLANES))]
            _draw_row(axes, view, row)
        if view.tokens is not None:
            draw_attention(figure.add_subplot(grid[-2, :]), view.tokens)
        draw_course(figure.add_subplot(grid[-1, :]), view.course)
        return _finished(figure, view)


def _finished(figure: Figure, view: VolumeView) -> SubjectPicture:
    small, media = raster(figure, limit=LIMIT)
    told = "; ".join(row.words() for row in view.rows)
    alt = (
        f"Subject {view.subject}, {view.why}. Slices of {view.modality} through "
        f"{view.centre_is}: {told}. {ends_of(view.course)}"
    )
    reading = reading_of(view)
    caption = " ".join(reading)
    drawn = vector_picture(figure, alt=alt, caption=caption)
    svg = base64.b64decode(drawn.source.partition(",")[2])
    return SubjectPicture(svg, small, media, alt, caption, reading)


def _inches(view: VolumeView) -> tuple[list[float], float]:
    """Return the widths of the columns, and the height of a row, in one scale for all slices.

    What is left of the width, where the height limits the scale, is an empty column.
    """
    sizes = [size_of(plane, view.rows[0].values.shape, view.spacing) for plane in PLANES]
    wide, high = sum(width for width, _ in sizes), max(height for _, height in sizes)
    scale = min(WIDTH / wide, TALLEST / high)
    widths = [width * scale for width, _ in sizes]
    left = WIDTH - sum(widths)
    return widths + ([left] if left > 0.1 else []), high * scale


def _draw_row(axes: list[Axes], view: VolumeView, row: ShownRow) -> None:
    """Draw the three slices of one volume, with its words above."""
    lines = _lines(row)
    grey = window_of(view.rows[0].values)
    for place, plane in zip(axes, PLANES, strict=True):
        draw_slice(place, view, row, plane, grey)
        place.set_title("\n".join(" " for _ in lines), fontsize=9)  # makes room for the words
        place.set_anchor("NW")
        place.set_xticks([])
        place.set_yticks([])
        for spine in place.spines.values():
            spine.set(visible=True, color=GREY, linewidth=0.4)
        if row is view.rows[0]:
            _draw_marks(place, view, plane)
    words = axes[0].text(
        0, 1.03, "\n".join(lines), transform=axes[0].transAxes, fontsize=8.5, va="bottom"
    )
    words.set_in_layout(False)  # it runs on over the other slices


def _lines(row: ShownRow) -> list[str]:
    return wrap(row.words(), _LETTERS)


def draw_slice(
    axes: Axes, view: VolumeView, row: ShownRow, plane: Plane, grey: tuple[float, float]
) -> None:
    """Draw one slice, in mm, with the outline of the region of interest where intensities are."""
    width, height = size_of(plane, row.values.shape, view.spacing)
    where: dict[str, Any] = {"extent": (0, width, height, 0), "interpolation": "nearest"}
    values = cut(row.values, plane, view.centre)
    if row.kind == "label":
        axes.imshow(label_colours(values), **where)
    elif row.kind == "difference":
        most = float(np.abs(row.values).max()) or 1.0
        axes.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most, **where)
    else:
        below = row if row.kind == "intensity" else view.rows[0]
        slice_below = cut(below.values, plane, view.centre)
        axes.imshow(slice_below, cmap="gray", vmin=grey[0], vmax=grey[1], **where)
    if row.kind == "attention":
        axes.imshow(overlay(values, top_of(row.values)), **where)
    if view.mask is not None:
        outlined = cut(view.mask, plane, view.centre)
        for colour, line in _OUTLINE["label" if row.kind == "label" else "other"]:
            draw_outline(axes, outlined, (width, height), color=colour, line=line)


def _draw_marks(axes: Axes, view: VolumeView, plane: Plane) -> None:
    """Say which plane it is, which side is left, and where the other two planes cut it."""
    shape = view.rows[0].values.shape
    width, height = size_of(plane, shape, view.spacing)
    across = (view.centre[plane.across] + 0.5) * width / shape[plane.across]
    down = (view.centre[plane.down] + 0.5) * height / shape[plane.down]
    down = height - down if plane.upwards else down
    line: dict[str, Any] = {"color": ORANGE, "lw": 0.6, "alpha": 0.8, "ls": (0, (4, 3))}
    axes.axvline(across, **line)
    axes.axhline(down, **line)
    boxed: dict[str, Any] = {
        "transform": axes.transAxes, "color": "white", "fontsize": 8,
        "bbox": {"facecolor": "black", "alpha": 0.55, "lw": 0, "pad": 1.2},
    }  # fmt: skip
    axes.text(0.03, 0.03, plane.name, va="bottom", ha="left", **boxed)
    axes.text(0.03, 0.97, plane.left, va="top", ha="left", **boxed)
