"""A result of a file of numbers, written in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def shown_result(
    result: Mapping[str, Any],
    form: str = "{:.3f}",
    *,
    interval: bool = True,
    reason: bool = False,
) -> str:
    """Return a value with its interval, or that there is none.

    Args:
        result: As :class:`survkit.metrics.Estimate` and ``Undefined`` are written.
        form: Of its numbers.
        interval: Whether the interval is told, where there is one.
        reason: Whether it is told why there is no value.
    """
    if "reason" in result:
        return f"not defined: {result['reason']}" if reason else "not defined"
    value = form.format(result["value"])
    if result["interval"] is None or not interval:
        return value
    lower, upper = (form.format(result["interval"][name]) for name in ("lower", "upper"))
    return f"{value} ({lower} to {upper})"
