"""The picture of a subject: slices with most attention, attention along the volume, prediction."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from survkit.explaining.curve_panels import draw_attention, draw_course, ends_of
from survkit.explaining.subject_view import SubjectView
from survkit.report.figure import canvas
from survkit.report.figure import picture as vector_picture
from survkit.report.raster import raster

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

LIMIT = 150_000
"""Most bytes of the picture that a page embeds."""
_COLUMNS = 3


@dataclass(frozen=True, slots=True)
class SubjectPicture:
    """A drawn subject.

    Attributes:
        svg: For print.
        small: For a page, at most :data:`LIMIT` bytes.
        media: ``"png"`` or ``"jpeg"``, what ``small`` is.
        alt: What it shows, with its main numbers.
        caption: How to read it.
        reading: The caption in sentences that many pictures share, so that a page says each once;
            empty where it is to be read as a whole.
    """

    svg: bytes
    small: bytes
    media: str
    alt: str
    caption: str
    reading: tuple[str, ...] = ()


def subject_picture(view: SubjectView) -> SubjectPicture:
    """Draw one subject and modality."""
    rows = 0 if view.images is None else ceil(len(view.top) / _COLUMNS)
    lower = (1.9, 2.2)
    with canvas(5.2, 0.45 + 1.95 * rows + sum(lower)) as figure:
        figure.suptitle(f"{view.subject}: {view.why}", fontsize=11, x=0.02, ha="left")
        grid = figure.add_gridspec(rows + 2, _COLUMNS, height_ratios=[1.95] * rows + [*lower])
        if view.images is not None:
            _draw_images(figure, view, grid)
        draw_attention(figure.add_subplot(grid[rows, :]), view)
        draw_course(figure.add_subplot(grid[rows + 1, :]), view.course)
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


def _alt(view: SubjectView) -> str:
    course = view.course
    shown = "; ".join(
        f"{view.place(token)}, {view.times_uniform(token):.1f} times equal weights"
        for token in view.top
    )
    pictured = "" if view.images is not None else ", without their pictures"
    return (
        f"Subject {view.subject}, {view.why}. Most attention in {view.modality}{pictured}: {shown}."
        f" {ends_of(course)}"
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
