"""From the table to the folds: who was there, who was left out, who was analysed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from survkit.report.figure import BLUE, GREY, Picture, canvas, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _STEP = 10.0, 2.1


def flow_figure(cohort: Mapping[str, Any]) -> Picture:
    """Draw the steps of ``cohort.json``: a column of boxes, with those left out at the side.

    Args:
        cohort: Content of ``cohort.json``.
    """
    texts = _texts(cohort)
    left_out = [f"left out: {one['reason']}\nn = {one['n']}" for one in cohort["left_out"]]
    with canvas(5.2, 0.35 + 0.86 * len(texts)) as figure:
        axes = figure.subplots()
        axes.set_axis_off()
        height = _STEP * len(texts)
        axes.set(xlim=(0, _WIDTH), ylim=(-height + 0.35, 1.05))
        column = 3.0 if left_out else _WIDTH / 2
        for step, text in enumerate(texts):
            top = -_STEP * step
            _box(axes, column, top, text, strong=step == len(texts) - 2)
            if step:
                _arrow(axes, (column, top + _STEP - 0.72), (column, top + 0.78))
        for number, text in enumerate(left_out):
            level = -_STEP * (0.5 + number)
            _box(axes, 7.7, level, _wrapped(text), strong=False)
            _arrow(axes, (column, level), (5.5, level))
        said = "; ".join(text.replace("\n", ", ") for text in [texts[0], *left_out, *texts[1:]])
        return picture(
            figure,
            alt=f"Flow of subjects: {said}.",
            caption="From the table of the cohort to the subjects reported on.",
        )


def _texts(cohort: Mapping[str, Any]) -> list[str]:
    events = ", ".join(f"{n} {name}" for name, n in cohort["events"].items())
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


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(part for line in text.splitlines() for part in textwrap.wrap(line, 26))


def _box(axes: Axes, x: float, y: float, text: str, *, strong: bool) -> None:
    axes.text(
        x,
        y,
        text,
        ha="center",
        va="center",
        fontsize=9.5,
        linespacing=1.35,
        bbox={
            "boxstyle": "round,pad=0.55",
            "facecolor": "#eaf2f8" if strong else "white",
            "edgecolor": BLUE if strong else GREY,
            "linewidth": 1.1,
        },
    )


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": GREY, "lw": 1.1})
