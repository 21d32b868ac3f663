"""How a metric changes with the time up to which it looks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from survkit.report.figure import BLUE, GREY, Picture, canvas, picture


def time_figure(
    points: Sequence[Mapping[str, Any]], *, label: str, unit: str, chance: float | None
) -> Picture | None:
    """Draw a metric over time with its pointwise intervals; ``None`` for fewer than two times.

    Args:
        points: Each with ``time`` and an estimate, or why there is none.
        label: Name of the metric.
        unit: Of the times.
        chance: What guessing gives, where there is such a value.
    """
    known = [point for point in points if "reason" not in point]
    if len(known) < 2:
        return None
    with canvas(5.2, 3.6) as figure:
        axes = figure.subplots()
        times = [point["time"] for point in known]
        values = [point["value"] for point in known]
        banded = [point for point in known if point["interval"] is not None]
        axes.fill_between(
            [point["time"] for point in banded],
            [point["interval"]["lower"] for point in banded],
            [point["interval"]["upper"] for point in banded],
            color=BLUE,
            alpha=0.16,
            linewidth=0,
        )
        axes.plot(times, values, "o-", color=BLUE, lw=1.6, ms=4.5)
        if chance is not None:
            axes.axhline(chance, color=GREY, lw=0.9, ls=":")
            axes.annotate(
                "guessing",
                (0.005, chance),
                xycoords=axes.get_yaxis_transform(),
                xytext=(0, 3),
                textcoords="offset points",
                color=GREY,
                fontsize=9,
            )
        else:
            axes.set_ylim(bottom=0)
        axes.set_xlabel(f"time ({unit})")
        axes.set_ylabel(label)
        return picture(figure, alt=_alt(known, label, unit), caption=_caption(points, known, label))


def _alt(known: Sequence[Mapping[str, Any]], label: str, unit: str) -> str:
    said = "; ".join(f"{point['value']:.3f} at {point['time']:g}" for point in known)
    return f"{label} over time in {unit}: {said}."


def _caption(
    points: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], label: str
) -> str:
    text = f"{label} by the time up to which it looks. The band is the pointwise interval."
    missing = len(points) - len(known)
    return text + (f" Not defined at {missing} of {len(points)} times." if missing else "")
