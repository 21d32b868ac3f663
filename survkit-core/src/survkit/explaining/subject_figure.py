"""The picture of a subject: slices with most attention, attention along the volume, prediction."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from survkit.explaining.subject_view import Course, SubjectView
from survkit.report.figure import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, canvas, percent_tick
from survkit.report.figure import picture as vector_picture
from survkit.report.raster import raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

LIMIT = 150_000
"""Most bytes of the picture that a page embeds."""
_COLUMNS = 3
_COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE)


@dataclass(frozen=True, slots=True)
class SubjectPicture:
    """A drawn subject.

    Attributes:
        svg: For print.
        small: For a page, at most :data:`LIMIT` bytes.
        media: ``"png"`` or ``"jpeg"``, what ``small`` is.
        alt: What it shows, with its main numbers.
        caption: How to read it.
    """

    svg: bytes
    small: bytes
    media: str
    alt: str
    caption: str


def subject_picture(view: SubjectView) -> SubjectPicture:
    """Draw one subject and modality."""
    rows = 0 if view.images is None else ceil(len(view.top) / _COLUMNS)
    lower = (1.9, 2.2)
    with canvas(5.2, 0.45 + 1.95 * rows + sum(lower)) as figure:
        figure.suptitle(f"{view.subject}: {view.why}", fontsize=11, x=0.02, ha="left")
        grid = figure.add_gridspec(rows + 2, _COLUMNS, height_ratios=[1.95] * rows + [*lower])
        if view.images is not None:
            _draw_images(figure, view, grid)
        along = figure.add_subplot(grid[rows, :])
        if view.grid is not None and len(view.grid) == 2:
            _draw_map(along, view)
        else:
            _draw_weights(along, view)
        _draw_course(figure.add_subplot(grid[rows + 1, :]), view.course)
        small, media = raster(figure, limit=LIMIT)
        alt, caption = _alt(view), _caption(view)
        drawn = vector_picture(figure, alt=alt, caption=caption)
    svg = base64.b64decode(drawn.source.partition(",")[2])
    return SubjectPicture(svg, small, media, alt, caption)


def _draw_images(figure: Figure, view: SubjectView, grid: GridSpec) -> None:
    assert view.images is not None
    for place, token in enumerate(view.top):
        axes = figure.add_subplot(grid[place // _COLUMNS, place % _COLUMNS])
        axes.imshow(view.images[token], cmap="gray", vmin=0, vmax=1)
        axes.set_axis_off()
        position = view.position(token)
        where = "" if position is None or view.unit != "slice" else f"at {position:.2f}, "
        axes.set_title(
            f"{view.place(token)}\n{where}{view.times_uniform(token):.1f} × equal",
            fontsize=8.5, fontweight="normal",
        )  # fmt: skip


def _draw_weights(axes: Axes, view: SubjectView) -> None:
    """Draw the weights over slices (blocks of one height together), or over tokens."""
    values = view.slices() if view.sliced else view.weight
    relative = values * len(values)
    place = np.arange(1, len(values) + 1)
    edges = np.arange(len(values) + 1) + 0.5
    axes.stairs(relative, edges, fill=True, color="#d6e7f3")
    axes.stairs(relative, edges, baseline=None, color=BLUE, lw=1.3)
    axes.axhline(1, color="#1d2329", lw=0.8, ls=":")
    if len(values) == len(view.weight):
        top = np.array(view.top)
        axes.plot(place[top], relative[top], "o", color=VERMILION, ms=4, label="most attention")
        if view.mask_share is not None and (view.mask_share > 0).any():
            touched = place[view.mask_share > 0]
            axes.plot(
                touched, np.zeros(len(touched)), "|", color=ORANGE, ms=9, mew=2.2,
                clip_on=False, label="touched by the mask",
            )  # fmt: skip
            axes.legend(loc="upper right", fontsize=8.5, ncols=2, borderaxespad=0)
    axes.set_xlim(0.5, len(values) + 0.5)
    axes.set_ylim(0, 1.25 * max(float(relative.max()), 1.2))
    axes.locator_params(axis="x", integer=True)
    step = "slice" if view.unit == "slice" else "height"
    axes.set_xlabel(f"{step}, from caudal to cranial" if view.sliced else "token")
    axes.set_ylabel("× equal weights")
    axes.set_title(f"Attention over {view.modality}")


def _draw_map(axes: Axes, view: SubjectView) -> None:
    """Draw the weights on the plane that the tokens lie on."""
    assert view.grid is not None
    relative = view.weight.reshape(view.grid) * len(view.weight)
    drawn = axes.imshow(relative, cmap="cividis", vmin=0)
    axes.figure.colorbar(drawn, ax=axes, label="× equal weights")
    axes.set_axis_off()
    axes.set_title(f"Attention over {view.modality}")


def _draw_course(axes: Axes, course: Course) -> None:
    for number, cause in enumerate(course.causes):
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(course.times, course.incidence[number], color=colour, lw=1.8, label=cause)
    if course.duration is not None and course.event is not None:
        _draw_observed(axes, course, course.duration, course.event)
    axes.set_xlim(0, 1.02 * course.horizon)
    axes.set_ylim(0, 1)
    axes.yaxis.set_major_formatter(lambda value, position: percent_tick(value))
    axes.set_xlabel(f"time ({course.unit})\nobserved: {course.observed()}")
    axes.set_title("Predicted incidence")
    if len(course.causes) > 1:
        axes.legend(loc="best", fontsize=8.5)


def _draw_observed(axes: Axes, course: Course, duration: float, event: int) -> None:
    """Mark when it happened, on the curve of what happened; beyond the horizon, nothing."""
    if duration > course.horizon:
        return
    colour = _COLOURS[(event - 1) % len(_COLOURS)] if event else GREY
    axes.axvline(duration, color=colour, lw=1.1, ls="-" if event else "--")
    if event:
        level = np.interp(duration, course.times, course.incidence[event - 1])
        axes.plot([duration], [level], "o", color=colour, ms=6, zorder=3)


def _alt(view: SubjectView) -> str:
    course = view.course
    shown = "; ".join(
        f"{view.place(token)}, {view.times_uniform(token):.1f} times equal weights"
        for token in view.top
    )
    ends = ", ".join(
        f"{cause} {course.incidence[number, -1]:.0%}" for number, cause in enumerate(course.causes)
    )
    pictured = "" if view.images is not None else ", without their pictures"
    return (
        f"Subject {view.subject}, {view.why}. Most attention in {view.modality}{pictured}: {shown}."
        f" Predicted by {course.horizon:g} {course.unit}: {ends}. Observed: {course.observed()}."
    )


def _caption(view: SubjectView) -> str:
    said = []
    if view.images is None:
        said.append(f"No slices are shown: {view.without_images}.")
    elif view.unit == "slice":
        said.append(
            "The slices with most attention, as the encoder sees them, with relative position "
            "(0 caudal, 1 cranial) and weight as a multiple of equal weights."
        )
    else:
        said.append("The blocks with most attention; weight as a multiple of equal weights.")
    if view.sliced and view.unit == "slice":
        said.append("Slices are counted from the caudal end, among those that the encoder keeps.")
    elif view.sliced:
        said.append("The curve adds up the blocks of one height, the most caudal first.")
    course = view.course
    if course.duration is not None and course.duration <= course.horizon:
        said.append("The vertical line is the observed time, dashed where censored.")
    return " ".join(said)
