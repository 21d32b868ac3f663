"""How a single cell of ``table.md`` is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

UNKNOWN = "n/a"
"""A number that the paper does not give, or that could not be computed here."""


def printed(published: Mapping[str, Any]) -> str:
    """Write a published number with the digits that it has."""
    sd = published["sd"]
    return f"{published['value']:g}" if sd is None else f"{published['value']:g} ± {sd:g}"


def published_cell(published: Mapping[str, Any] | None) -> str:
    """Write a published number, with a star where a note says how to read it."""
    if published is None:
        return UNKNOWN
    return printed(published) + ("\\*" if published["note"] else "")


def folds_cell(folds: Mapping[str, Any]) -> str:
    """Write mean ± sd over folds, and how many have a value where not all have."""
    mean, sd = folds["mean"], folds["sd"]
    if mean is None:
        return UNKNOWN
    missing = "" if folds["defined"] == folds["of"] else f" ({folds['defined']} of {folds['of']})"
    return (f"{mean:.3f}" if sd is None else f"{mean:.3f} ± {sd:.3f}") + missing


def estimate(result: Mapping[str, Any] | None, form: str) -> str:
    """Write a result with its interval, if it has one."""
    if result is None or "reason" in result:
        return UNKNOWN
    value, interval = form.format(result["value"]), result["interval"]
    if interval is None:
        return value
    return f"{value} ({form.format(interval['lower'])} to {form.format(interval['upper'])})"


def p_value(value: float | None) -> str:
    """Write a p value."""
    return UNKNOWN if value is None else f"{value:.4f}"


def line(cells: Iterable[Any]) -> str:
    """Write one line of a table."""
    return f"| {' | '.join(str(cell).replace('|', '/') for cell in cells)} |"


def tests_cells(found: Mapping[str, Any], *, is_reference: bool) -> tuple[str, str, str]:
    """Write difference, p and adjusted p of a row; of the reference that it is it."""
    if is_reference:
        return ("reference", "", "")
    return (
        estimate(found.get("difference"), "{:+.3f}"),
        p_value(found.get("permutation", {}).get("p_value")),
        p_value(found.get("p_holm")),
    )
