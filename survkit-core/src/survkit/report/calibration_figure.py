"""Predicted against observed probability at the horizon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from survkit.report.figure import BLUE, GREY, ORANGE, Picture, canvas, percent_tick, picture

PANEL = (5.2, 4.5)
"""Inches of one cause."""


def calibration_figure(
    groups: Sequence[Mapping[str, Any]],
    *,
    curve: Mapping[str, Any] | None = None,
    cause: str,
    horizon: str,
) -> Picture | None:
    """Draw the groups of ``metrics.json``; ``None`` where none could be observed.

    Args:
        groups: Each with ``predicted`` and ``observed``, an estimate.
        curve: The smoothed curve, ``predicted``, ``observed``, ``lower`` and ``upper``, or the
            reason why there is none.
        cause: Name of the cause.
        horizon: The horizon with its unit.
    """
    if not observable(groups):
        return None
    with canvas(*PANEL) as figure:
        draw_calibration(figure.subplots(), groups, curve)
        return picture(
            figure,
            alt=calibration_alt(groups, cause=cause, horizon=horizon),
            caption=calibration_caption(groups, curve, cause=cause, horizon=horizon),
        )


def observable(groups: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the groups in which something was observed by the horizon."""
    return [group for group in groups if "reason" not in group["observed"]]


def draw_calibration(
    axes: Any, groups: Sequence[Mapping[str, Any]], curve: Mapping[str, Any] | None
) -> None:
    """Draw one cause; at least one of its groups is observable."""
    highest = max(_draw_group(axes, group) for group in observable(groups))
    smooth = _smooth(curve)
    if smooth is not None:
        highest = max(highest, _draw_curve(axes, smooth))
    _draw_diagonal(axes, min(1.0, 1.08 * highest) or 1.0)


def calibration_alt(groups: Sequence[Mapping[str, Any]], *, cause: str, horizon: str) -> str:
    """Return what the picture shows, in numbers, for who cannot see it."""
    said = "; ".join(
        f"predicted {group['predicted']:.0%}, observed {group['observed']['value']:.0%}"
        for group in observable(groups)
    )
    return f"Calibration of the probability of {cause} by {horizon}: {said}."


def calibration_caption(
    groups: Sequence[Mapping[str, Any]],
    curve: Mapping[str, Any] | None,
    *,
    cause: str,
    horizon: str,
) -> str:
    """Return how to read the picture."""
    return (
        f"{_grouped(len(observable(groups)))} of {cause} by {horizon}. Bars are intervals of the "
        "observed probability. Points above the "
        "line: more events than predicted." + (_SMOOTH if _smooth(curve) is not None else "")
    )


def _smooth(curve: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return None if curve is None or "reason" in curve else curve


def _draw_group(axes: Any, group: Mapping[str, Any]) -> float:
    """Draw one group with its interval, and return the highest probability drawn."""
    predicted, observed = group["predicted"], group["observed"]["value"]
    interval = group["observed"]["interval"]
    axes.plot(predicted, observed, "o", color=BLUE, ms=6.5, clip_on=False)
    if interval is None:
        return float(max(predicted, observed))
    axes.vlines(predicted, interval["lower"], interval["upper"], color=BLUE, lw=1.6)
    return float(max(predicted, interval["upper"]))


_SMOOTH = (
    " The orange line is a smoothed curve of observed on predicted probability, with its band."
)


def _draw_curve(axes: Any, curve: Mapping[str, Any]) -> float:
    """Draw the smoothed curve with its band, and return its highest probability."""
    predicted, observed = curve["predicted"], curve["observed"]
    # Points without an interval leave a gap in the band.
    low, high = (np.array(curve[name], dtype=np.float64) for name in ("lower", "upper"))
    known = ~np.isnan(low) & ~np.isnan(high)
    axes.fill_between(predicted, low, high, where=known, color=ORANGE, alpha=0.22, lw=0, zorder=0)
    axes.plot(predicted, observed, color=ORANGE, lw=1.8, zorder=1)
    return float(max(max(predicted), max(observed)))


def _draw_diagonal(axes: Any, top: float) -> None:
    """Draw the line of perfect calibration and scale both axes alike."""
    axes.plot([0, top], [0, top], color=GREY, lw=1, ls=(0, (4, 3)), zorder=0)
    axes.text(
        *(0.98, 0.03),
        "dashed: perfect calibration",
        transform=axes.transAxes,
        color=GREY,
        fontsize=9,
        ha="right",
    )
    axes.set(xlim=(0, top), ylim=(0, top), xlabel="mean predicted probability")
    axes.set_ylabel("observed probability")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(percent_tick)
    axes.set_aspect("equal")


def _grouped(groups: int) -> str:
    if groups == 1:
        return "All subjects as one group: predicted and observed probability"
    return f"Subjects in {groups} groups of equal size by their predicted probability"
