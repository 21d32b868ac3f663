"""Cumulative incidence between the times of the grid: straight lines from 0 at time 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from survkit.errors import DataError

if TYPE_CHECKING:
    from survkit.evaluation.predictions import Floats, Predictions


def at_times(table: Predictions, times: Floats) -> Floats:
    """Return everybody's incidence at the same times; (row, cause, time)."""
    values, right, share = _lines(table, times)
    at: Floats = values[..., right - 1] * (1 - share) + values[..., right] * share
    return at


def at_own_time(table: Predictions, times: Floats) -> Floats:
    """Return each row's incidence at its own time; (row, cause)."""
    values, right, share = _lines(table, times)
    row, share = np.arange(len(values)), share[:, None]
    at: Floats = values[row, :, right - 1] * (1 - share) + values[row, :, right] * share
    return at


def _lines(table: Predictions, times: Floats) -> tuple[Floats, np.ndarray, Floats]:
    """Return incidence at the knots, the knot to the right of each time, and how near it is."""
    if table.cumulative_incidence is None:
        raise DataError("the table has risk scores but no predicted probabilities")
    wrong = ~((times >= 0) & (times <= table.horizon))
    if wrong.any():
        raise DataError(
            f"times must lie between 0 and the horizon {table.horizon:g} {table.time_unit}, "
            f"not {times[wrong][0]:g}; ask for earlier times or predict with a longer horizon"
        )
    knots = np.concatenate([[0.0], table.time_grid])
    none = np.zeros((*table.risk_score.shape, 1))
    values = np.concatenate([none, table.cumulative_incidence], axis=2)
    right = np.clip(np.searchsorted(knots, times, side="left"), 1, len(knots) - 1)
    return values, right, (times - knots[right - 1]) / (knots[right] - knots[right - 1])
