"""The panels that every picture of a subject ends with: attention along it, and the prediction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from survkit.explaining.subject_view import Course, SubjectView
from survkit.report.figure import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, percent_tick

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = (VERMILION, BLUE, GREEN, PURPLE, ORANGE)


def draw_attention(axes: Axes, view: SubjectView) -> None:
    """Draw the weights on their plane where tokens lie on one, else along the volume."""
    if view.grid is not None and len(view.grid) == 2:
        _draw_map(axes, view)
    else:
        _draw_weights(axes, view)


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


def draw_course(axes: Axes, course: Course) -> None:
    """Draw the predicted incidence of every cause, and what happened."""
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


def ends_of(course: Course) -> str:
    """Say what was predicted by the horizon, and what happened."""
    ends = ", ".join(
        f"{cause} {course.incidence[number, -1]:.0%}" for number, cause in enumerate(course.causes)
    )
    return f"Predicted by {course.horizon:g} {course.unit}: {ends}. Observed: {course.observed()}."
