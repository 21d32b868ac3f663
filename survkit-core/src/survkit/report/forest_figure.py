"""One metric for the whole, each site and each fold, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survkit.report.figure import BLUE, GREY, VERMILION, Picture, canvas, picture

Row = tuple[str, Mapping[str, Any], str]
"""Name, result of ``metrics.json``, and the kind of row: "all", "other" or "part"."""

_COLOURS = {"all": BLUE, "other": VERMILION, "part": GREY}


def forest_figure(rows: Sequence[Row], *, label: str, chance: float | None) -> Picture | None:
    """Draw values with intervals; ``None`` for a single row, which is no comparison."""
    if len([row for row in rows if "reason" not in row[1]]) < 2:
        return None
    with canvas(5.2, 0.9 + 0.27 * len(rows)) as figure:
        axes = figure.subplots()
        for position, (_, result, kind) in enumerate(rows):
            if "reason" in result:
                axes.text(
                    0.01,
                    position,
                    "not defined",
                    transform=axes.get_yaxis_transform(),
                    va="center",
                    fontsize=9,
                    color=GREY,
                )
                continue
            interval, colour = result["interval"], _COLOURS[kind]
            if interval is not None:
                axes.hlines(position, interval["lower"], interval["upper"], color=colour, lw=1.6)
            marker = "D" if kind == "all" else "s" if kind == "other" else "o"
            axes.plot(result["value"], position, marker, color=colour, ms=6)
        if chance is not None:
            axes.axvline(chance, color=GREY, lw=0.9, ls=":")
        whole = rows[0][1]
        if "reason" not in whole:
            axes.axvline(whole["value"], color=BLUE, lw=0.8, alpha=0.35)
        axes.set_yticks(range(len(rows)), [name for name, _, _ in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(label)
        said = [f"{name} {_said(result)}" for name, result, _ in rows]
        return picture(
            figure,
            alt=f"{label}: " + "; ".join(said) + ".",
            caption="Diamond: all subjects. Lines are intervals; those of small parts are wide.",
        )


def _said(result: Mapping[str, Any]) -> str:
    return "not defined" if "reason" in result else f"{result['value']:.3f}"
