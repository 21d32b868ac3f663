"""The pictures of a table's figure, one per row, beside ``table.md``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from survkit.atomic_write import write_bytes
from survkit.evaluation.predictions import Predictions
from survkit.report.curves_figure import curves_figure
from survkit.report.figure import BLUE, GREY, VERMILION, Picture, canvas, percent_tick, picture
from survkit.report.strip_figure import svg_of
from survkit.reproduction.figure_content import HALVES
from survkit.reproduction.published_table import Reproduction
from survkit.reproduction.row_condition import ConditionState

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_figure(
    content: dict[str, Any],
    table: Reproduction,
    conditions: Mapping[str, Mapping[str, ConditionState]],
    folder: Path,
) -> None:
    """Draw the figure of every row as SVG, and note file, alternative text and caption in the
    content.

    Args:
        content: Of ``table.json``.
        table: What was published.
        conditions: By condition and label, what became of the rows under it.
        folder: Of the table.
    """
    figure = content["figure"]
    if figure is None:
        return
    slugs = {row.label: row.slug for row in table.rows}
    for label, row in figure["rows"].items():
        if figure["kind"] == "robustness":
            drawn = _robustness(figure, label, row)
        else:
            state = conditions[figure["condition"]][label]
            drawn = _kaplan_meier(state.at(row["share"])[0], label, row, content["cause"])
        if drawn is None:
            continue
        name = f"figure-{slugs[label]}.svg"
        write_bytes(folder / name, svg_of(drawn))
        row["picture"] = {"file": name, "alt": drawn.alt, "caption": drawn.caption}


def _robustness(figure: Mapping[str, Any], label: str, row: Mapping[str, Any]) -> Picture | None:
    """Draw a box per share of corrupted subjects; none where no fold has a value."""
    boxes = [box for box in row["boxes"] if box["values"]]
    if not boxes:
        return None
    with canvas(5.6, 3.6) as drawing:
        axes = drawing.subplots()
        axes.boxplot(
            [box["values"] for box in boxes],
            positions=[box["share"] for box in boxes],
            widths=0.06,
            manage_ticks=False,
            boxprops={"color": BLUE},
            medianprops={"color": BLUE, "linewidth": 2},
            whiskerprops={"color": BLUE},
            capprops={"color": BLUE},
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": GREY},
        )
        marks = _draw_marks(axes, row["published"])
        if figure["chance"] is not None:
            axes.axhline(figure["chance"], color=GREY, lw=0.9, ls=":")
        axes.set_xlim(boxes[0]["share"] - 0.07, boxes[-1]["share"] + 0.14)
        axes.xaxis.set_major_formatter(lambda value, _: percent_tick(value))
        axes.set_xlabel("subjects corrupted")
        axes.set_ylabel(figure["metric_label"].partition(",")[0])
        axes.set_title(label)
        first, last = boxes[0], boxes[-1]
        most = max(len(box["values"]) for box in boxes)
        published = " Diamonds: medians that the paper quotes for its data." if marks else ""
        return picture(
            drawing,
            alt=f"{label}: median {figure['metric_label']} from {first['quartiles'][1]:.3f} at "
            f"{first['share']:.0%} corrupted to {last['quartiles'][1]:.3f} at {last['share']:.0%}.",
            caption=f"{label}: {figure['metric_label']} of each fold under each seed (up to "
            f"{most} values a box) against the share of corrupted test subjects; boxes are "
            f"quartiles, whiskers reach 1.5 times their distance.{published}",
        )


def _draw_marks(axes: Axes, published: Sequence[Mapping[str, Any]]) -> int:
    """Draw the medians that the paper quotes, and return their number."""
    marks = [mark for mark in published if mark["share"] is not None]
    for mark in marks:
        place = (mark["share"], mark["value"])
        axes.plot(*place, "D", color=VERMILION, ms=5)
        axes.annotate(
            f"{mark['column'] or 'published'} {mark['value']:g}",
            place, xytext=(5, 4), textcoords="offset points", fontsize=8, color=VERMILION,
        )  # fmt: skip
    return len(marks)


def _kaplan_meier(noisy: Predictions, label: str, row: Mapping[str, Any], cause: str) -> Picture:
    """Draw the halves of predicted risk under the first seed, with its log-rank test."""
    test = row["seeds"][0]
    said = "no log-rank test" if "reason" in test else f"log-rank p = {test['p_value']:.4f}"
    drawn = curves_figure(
        noisy,
        cause=noisy.causes.index(cause) + 1,
        level=0.95,
        groups=HALVES,
        title=f"{label}, {row['share']:.0%} of the test subjects corrupted: {said}",
    )
    caption = f"{label}, seed 0. {drawn.caption}"
    return Picture(drawn.source, drawn.alt, caption)
