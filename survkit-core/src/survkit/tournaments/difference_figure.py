"""How much every composition's concordance is above that of the best, or of the reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from survkit.report.figure import Picture
from survkit.report.forest_figure import Row, forest_figure

MOST_SHOWN = 40
"""More compositions than these are left to the table."""


def difference_figure(content: Mapping[str, Any]) -> Picture | None:
    """Draw the differences, the best first; ``None`` where there is none."""
    reference, found = content["reference"], content["differences"]
    if reference is None:
        return None
    names = sorted(found, key=lambda name: -found[name].get("value", float("-inf")))
    rows: list[Row] = [(name, found[name], "pair") for name in names[:MOST_SHOWN]]
    label = next(iter(content["metrics"].values()))["label"]
    what = "the best" if reference == content["best"] else "the reference"
    more = len(names) - len(rows)
    caption = (
        f"Difference to {reference}, {what}, with the paired interval over "
        f"{content['settings']['unit']}s, each by "
        "itself; whether a difference is more than chance among all pairs is said by the adjusted "
        "p-value."
    )
    if more:
        caption += f" {more} more are in the table alone."
    return forest_figure(
        rows, label=f"{label}: difference to {reference}", chance=0.0, caption=caption, least=1
    )
