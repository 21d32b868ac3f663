"""One metric for the whole, each site and each fold, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from survkit.report.figure import BLUE, GREY, VERMILION, Picture, canvas, picture

Row = tuple[str, Mapping[str, Any], str]
"""Name, result of ``metrics.json``, and the kind of row: "all", "other", "pair" or "part"."""

_COLOURS = {"all": BLUE, "other": VERMILION, "pair": BLUE, "part": GREY}
_MARKERS = {"all": "D", "other": "s", "pair": "o", "part": "o"}
_CAPTION = "Diamond: all subjects. Lines are intervals; those of small parts are wide."


def forest_figure(
    rows: Sequence[Row],
    *,
    label: str,
    chance: float | None,
    caption: str = _CAPTION,
    least: int = 2,
) -> Picture | None:
    """Draw values with intervals; ``None`` where fewer than ``least`` rows have one.

    Args:
        rows: From top to bottom.
        label: Under the axis.
        chance: Where a dotted line says that nothing was found.
        caption: Under the picture.
        least: A single row is no comparison, a single difference is one.
    """
    if len([row for row in rows if "reason" not in row[1]]) < least:
        return None
    with canvas(5.2, 0.9 + 0.27 * len(rows)) as figure:
        axes = figure.subplots()
        for position, (_, result, kind) in enumerate(rows):
            _draw(axes, position, result, kind)
        if chance is not None:
            axes.axvline(chance, color=GREY, lw=0.9, ls=":")
        whole = rows[0][1]
        if rows[0][2] == "all" and "reason" not in whole:
            axes.axvline(whole["value"], color=BLUE, lw=0.8, alpha=0.35)
        axes.set_yticks(range(len(rows)), [_wrapped(name) for name, _, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(textwrap.fill(label, 42))
        said = [f"{name} {_said(result)}" for name, result, _ in rows]
        return picture(
            figure,
            alt=f"{label}: " + "; ".join(said) + ".",
            caption=caption,
        )


def _draw(axes: Any, position: int, result: Mapping[str, Any], kind: str) -> None:
    """Draw one row, or say that it has no value."""
    if "reason" in result:
        where = axes.get_yaxis_transform()
        axes.text(
            0.01, position, "not defined", transform=where, va="center", fontsize=9, color=GREY
        )
        return
    interval, colour = result["interval"], _COLOURS[kind]
    if interval is not None:
        axes.hlines(position, interval["lower"], interval["upper"], color=colour, lw=1.6)
    axes.plot(result["value"], position, _MARKERS[kind], color=colour, ms=6)


def _said(result: Mapping[str, Any]) -> str:
    if "reason" in result:
        return "not defined"
    interval = result["interval"]
    between = "" if interval is None else f" ({interval['lower']:.3f} to {interval['upper']:.3f})"
    return f"{result['value']:.3f}{between}"


def _wrapped(name: str) -> str:
    """Break long names, so that they leave room for the values."""
    return "\n".join(textwrap.wrap(name, 24)[:2]) or name
