"""From the table to the folds: who was there, who was left out, who was analysed."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from survkit.report.figure import BLUE, GREY, Picture, canvas, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _GAP, _LINE, _PAD = 10.0, 0.55, 0.36, 0.42
"""In units of which the figure is ten wide; a line of text, and the room around it in a box."""
_INCH = 0.52


def flow_figure(cohort: Mapping[str, Any]) -> Picture:
    """Draw the steps of ``cohort.json``: a column of boxes, with those left out at the side.

    Args:
        cohort: Content of ``cohort.json``.
    """
    texts = _texts(cohort)
    reasons = [f"left out: {one['reason']}, n = {one['n']}" for one in cohort["left_out"]]
    left_out = "\n".join(line for reason in reasons for line in textwrap.wrap(reason, 24))
    gaps = [_GAP + (_height(left_out) if left_out and not step else 0.0) for step in range(2)]
    height = sum(map(_height, texts)) + sum(gaps)
    with canvas(5.2, 0.1 + _INCH * height) as figure:
        figure.set_layout_engine("none")  # boxes are placed by hand
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set(xlim=(0, _WIDTH), ylim=(-height - 0.15, 0.15))
        column, top = (2.9 if left_out else _WIDTH / 2), 0.0
        for step, text in enumerate(texts):
            _box(axes, column, top, text, strong=step == 1)
            bottom = top - _height(text)
            if step < len(texts) - 1:
                top = bottom - gaps[step]
                _arrow(axes, (column, bottom), (column, top))
            if left_out and not step:
                middle = (bottom + top) / 2
                _box(axes, 7.6, middle + _height(left_out) / 2, left_out, strong=False)
                _arrow(axes, (column, middle), (5.7, middle))
        boxes = [text.replace("\n", ", ") for text in texts]
        said = "; ".join([boxes[0], *reasons, *boxes[1:]])
        return picture(
            figure,
            alt=f"Flow of subjects: {said}.",
            caption="From the table of the cohort to the subjects reported on.",
        )


def _texts(cohort: Mapping[str, Any]) -> list[str]:
    counts = ", ".join(f"{n} {name}" for name, n in cohort["events"].items())
    events = "\n".join(textwrap.wrap(counts, 34))
    whole = cohort["subjects"] + sum(one["n"] for one in cohort["left_out"])
    texts = [f"in the table\nn = {whole}", f"analysed\nn = {cohort['subjects']}\n{events}"]
    tested = [fold for fold in cohort["folds"] if fold["test"]]
    if not tested:
        one = cohort["folds"][0]
        return [*texts, f"trained on {one['train']},\nepoch chosen on {one['validation']}"]
    repeats = len({fold["repeat"] for fold in tested})
    again = f" × {repeats} repeats" if repeats > 1 else ""
    line = f"trained on {_range(tested, 'train')}"
    if any(fold["validation"] for fold in tested):
        line += f", inner validation {_range(tested, 'validation')}"
    folds = f"{len(tested) // repeats} folds{again}"
    return [*texts, f"{folds}\n{line}\ntested on {_range(tested, 'test')}"]


def _range(folds: Sequence[Mapping[str, Any]], part: str) -> str:
    sizes = [fold[part] for fold in folds]
    return f"{min(sizes)}" if min(sizes) == max(sizes) else f"{min(sizes)} to {max(sizes)}"


def _height(text: str) -> float:
    return _LINE * (text.count("\n") + 1) + _PAD


def _box(axes: Axes, x: float, top: float, text: str, *, strong: bool) -> None:
    """Draw a box under its upper edge, as wide as its text."""
    from matplotlib.patches import FancyBboxPatch

    width = 0.128 * max(map(len, text.splitlines())) + 0.6
    axes.add_patch(
        FancyBboxPatch(
            (x - width / 2, top - _height(text)),
            width,
            _height(text),
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor="#eaf2f8" if strong else "white",
            edgecolor=BLUE if strong else GREY,
            linewidth=1.1,
        )
    )
    middle = top - _height(text) / 2
    axes.text(x, middle, text, ha="center", va="center", fontsize=9.5, linespacing=1.3)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    arrow = {"arrowstyle": "-|>", "color": GREY, "lw": 1.1, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", end, start, arrowprops=arrow)
