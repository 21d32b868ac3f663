"""What happened to the groups of predicted risk, with the numbers at risk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from survkit.evaluation.observed_groups import first_repeat
from survkit.evaluation.predictions import Predictions
from survkit.evaluation.risk_groups import risk_groups
from survkit.nonparametric.aalen_johansen import IncidenceCurves, aalen_johansen
from survkit.nonparametric.risk_table import numbers_at_risk
from survkit.report.figure import GROUP_COLOURS, Picture, canvas, percent_tick, picture

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINES = ("-", (0, (6, 2)), (0, (2, 1.2)))
"""Groups differ in dashes too, for prints without colour."""


def curves_figure(
    predictions: Predictions,
    *,
    cause: int,
    level: float,
    groups: int | None = None,
    title: str = "",
) -> Picture:
    """Draw Kaplan–Meier, or with competing causes Aalen–Johansen, by group of predicted risk.

    Args:
        predictions: The table, of which the first repeat is drawn.
        cause: Event code, 1..K.
        level: Of the bands.
        groups: 2 for halves or 3 for thirds; ``None`` for what the number of subjects allows.
        title: Above the curves.
    """
    table = first_repeat(predictions)
    names, group = risk_groups(table, cause=cause, groups=groups)
    competing = len(table.causes) > 1
    shown = [number for number in range(len(names)) if (group == number).any()]
    with canvas(5.2, 4.8 if title else 4.5) as figure:
        if title:
            figure.suptitle(title, fontsize=10.5)
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[5, 0.5 + 0.4 * len(names)])
        said = [
            _draw_group(upper, table, group == number, (number, names), cause=cause, level=level)
            for number in shown
        ]
        quantity = f"probability of {table.causes[cause - 1]}" if competing else "event-free"
        upper.set_ylabel(quantity)
        upper.set_ylim(0, 1.02 if not competing else None)
        upper.yaxis.set_major_formatter(percent_tick)
        upper.legend(ncols=3, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0.2)
        upper.set_xlim(-0.03 * table.horizon, 1.03 * table.horizon)
        _write_numbers(
            lower,
            table,
            group,
            {number: names[number] for number in shown},
        )
        kind = "Cumulative incidence (Aalen–Johansen)" if competing else "Kaplan–Meier curves"
        alt = f"{kind} by predicted risk until {table.horizon:g} {table.time_unit}: "
        return picture(figure, alt=alt + "; ".join(said) + ".", caption=_caption(table, names))


def _draw_group(
    axes: Axes,
    table: Predictions,
    rows: np.ndarray,
    group: tuple[int, tuple[str, ...]],
    *,
    cause: int,
    level: float,
) -> str:
    """Draw one group, given by its number and the names of all, and say where it ends."""
    number, names = group
    target = table.target(rows)
    curve = aalen_johansen(
        target.duration,
        target.event,
        len(table.causes),
        entry=target.entry,
        weight=target.weight,
        level=level,
    )
    colour = GROUP_COLOURS[len(names)][number]
    at_end = _draw(axes, curve, cause, table.horizon, colour, number, names[number])
    return f"{names[number]} risk ({int(rows.sum())} subjects) ends at {at_end:.0%}"


def _draw(
    axes: Axes,
    curve: IncidenceCurves,
    cause: int,
    horizon: float,
    colour: str,
    line: int,
    name: str,
) -> float:
    """Draw one group and return where it stands at the end."""
    competing = len(curve.incidence) > 1

    def quantity(values: torch.Tensor) -> np.ndarray:
        return (values if competing else 1 - values)[cause - 1].numpy()

    inside = curve.times[curve.times <= horizon]
    end = min(horizon, curve.last_time)
    times = torch.cat([inside.new_zeros(1), inside, inside.new_tensor([end])])
    low, high = curve.bounds_at(times)
    values = quantity(curve.at(times))
    axes.fill_between(
        times.numpy(),
        quantity(low),
        quantity(high),
        step="post",
        color=colour,
        alpha=0.14,
        linewidth=0,
    )
    axes.step(
        times.numpy(),
        values,
        where="post",
        color=colour,
        lw=1.7,
        ls=_LINES[line],
        label=_label(name),
    )
    return float(values[-1])


def _label(name: str) -> str:
    return name if "half" in name else f"{name} risk"


def _write_numbers(
    axes: Axes,
    table: Predictions,
    group: np.ndarray,
    shown: Mapping[int, str],
) -> None:
    """Write the numbers at risk under the curves."""
    from matplotlib.ticker import MaxNLocator

    locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    ticks = np.asarray(locator.tick_values(0, table.horizon), dtype=np.float64)
    ticks = ticks[(ticks >= 0) & (ticks <= table.horizon)]
    axes.set_xticks(ticks)
    axes.set_xlabel(f"time ({table.time_unit})")
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), list(shown.values()))
    axes.tick_params(axis="y", length=0, pad=9)
    axes.spines["left"].set_visible(False)
    axes.set_title("Number at risk")
    for row, number in enumerate(shown):
        counts = numbers_at_risk(table.target(group == number), ticks.tolist())
        for tick, count in zip(ticks, counts.tolist(), strict=True):
            axes.text(tick, row, f"{count:.0f}", ha="center", va="center", fontsize=9.5)


def _caption(table: Predictions, names: tuple[str, ...]) -> str:
    parts = "thirds" if len(names) == 3 else "halves"
    repeat = " of the first repeat" if len(table.repeats) > 1 else ""
    band = "Bands are pointwise intervals."
    return (
        f"Subjects{repeat} cut into {parts} by the rank of their predicted risk within their fold; "
        f"the cut uses no outcome. {band}"
    )
