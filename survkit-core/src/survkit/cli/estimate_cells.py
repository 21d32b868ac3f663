"""A result as two cells of a table on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from survkit.metrics.estimate import Result


def estimate_cells(found: Result) -> tuple[str, str]:
    """Return the value and its interval as texts."""
    from survkit.metrics.estimate import Undefined

    if isinstance(found, Undefined):
        return "undefined", ""
    interval = found.interval
    spread = "" if interval is None else f"{interval.lower:.3f} to {interval.upper:.3f}"
    return f"{found.value:.3f}", spread
