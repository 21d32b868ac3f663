"""The discrete time axis: how edges are chosen, and in which interval a duration falls.

One convention everywhere: the T edges are right edges, interval ``i`` (0-based) is ``(edge[i-1],
edge[i]]`` with ``edge[-1]`` = 0, the last edge is the horizon, and index T means "beyond the
horizon".
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import isfinite
from typing import Literal

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit.flow import SurvivalTarget
from survkit.specs import OutcomeSpec

GridKind = Literal["uniform", "quantile", "edges"]


def interval_index(duration: Tensor, time_grid: Sequence[float]) -> Tensor:
    """Return the interval that holds each duration.

    >>> interval_index(torch.tensor([0.5, 1.0, 1.5, 9.0]), (1.0, 2.0)).tolist()
    [0, 0, 1, 2]

    Args:
        duration: Times > 0, of any shape.
        time_grid: The T right edges.

    Returns:
        int64, of the shape of ``duration``: i for ``edge[i-1] < duration <= edge[i]``, T beyond
        the last edge.
    """
    return torch.searchsorted(_edges(tuple(time_grid), duration.device), duration.to(torch.float64))


def entry_index(entry: Tensor, time_grid: Sequence[float]) -> Tensor:
    """Return the first interval in which a subject that enters late is at risk.

    A subject that enters inside an interval counts as at risk in that whole interval. It is the
    only convention that keeps the interval of an event at or after the interval of entry.

    Args:
        entry: Delayed entry times >= 0, of any shape.
        time_grid: The T right edges.

    Returns:
        int64, of the shape of ``entry``: the number of edges <= entry, 0..T.
    """
    edges = _edges(tuple(time_grid), entry.device)
    return torch.searchsorted(edges, entry.to(torch.float64), right=True)


def discretise(target: SurvivalTarget, outcome: OutcomeSpec) -> tuple[Tensor, Tensor]:
    """Return interval and event code of each subject on the outcome's grid.

    Follow-up ends at the horizon (administrative censoring): an event after it counts as censored
    there. A subject censored inside interval i keeps i; one that is known to be event-free at the
    horizon gets T.

    Returns:
        ``interval`` int64 (batch), 0..T; ``event`` int64 (batch), 0 for censored. Events have
        intervals below T.
    """
    beyond = target.duration > outcome.horizon
    event = target.event.masked_fill(beyond, 0)
    interval = interval_index(target.duration, outcome.time_grid)
    free_at_horizon = (event == 0) & (target.duration >= outcome.horizon)
    return interval.masked_fill(free_at_horizon, outcome.intervals), event


def fit_time_grid(
    kind: GridKind,
    *,
    intervals: int | None = None,
    horizon: float,
    edges: Sequence[float] | None = None,
    duration: Tensor | None = None,
    observed: Tensor | None = None,
) -> tuple[float, ...]:
    """Return the right edges of the intervals, the last being exactly the horizon.

    Args:
        kind: ``"uniform"``: intervals of equal width. ``"quantile"``: intervals that hold about
            equally many events up to the horizon; each edge but the last is an event time, equal
            edges (tied events, or fewer events than intervals) are merged, so fewer intervals than
            asked may come back. ``"edges"``: the given edges.
        intervals: Number of intervals; not used by ``"edges"``.
        horizon: The last edge.
        edges: The edges of ``kind="edges"``.
        duration: Durations of the TRAINING subjects (batch), for ``"quantile"``.
        observed: Whether the event was observed, bool (batch), for ``"quantile"``.

    Raises:
        ConfigError: The horizon, number of intervals or edges cannot make a grid.
        DataError: The training events leave fewer than two intervals.
    """
    if not (isfinite(horizon) and horizon > 0):
        raise ConfigError(f"the horizon must be a positive number, not {horizon}")
    if kind == "edges":
        return _given_edges(edges, horizon)
    if edges is not None:
        raise ConfigError(
            f"edges are only for a grid of kind 'edges', not {kind!r}; leave them out"
        )
    if intervals is None or intervals < 1:
        raise ConfigError(f"a {kind} time grid needs at least 1 interval, not {intervals}")
    if kind == "uniform":
        return (*(horizon * (i + 1) / intervals for i in range(intervals - 1)), float(horizon))
    if kind == "quantile":
        return _quantile_edges(intervals, horizon, duration, observed)
    raise ConfigError(f"a time grid is of kind 'uniform', 'quantile' or 'edges', not {kind!r}")


def _given_edges(edges: Sequence[float] | None, horizon: float) -> tuple[float, ...]:
    if not edges:
        raise ConfigError("a time grid of kind 'edges' needs edges, but none were given")
    grid = tuple(float(edge) for edge in edges)
    if not all(left < right < float("inf") for left, right in pairwise((0.0, *grid))):
        raise ConfigError(
            f"time grid edges must be positive, finite and strictly increasing, not {list(grid)}"
        )
    if grid[-1] != horizon:
        raise ConfigError(
            f"the last edge must be the horizon {horizon:g}, not {grid[-1]:g}; change one of them"
        )
    return grid


def _quantile_edges(
    intervals: int, horizon: float, duration: Tensor | None, observed: Tensor | None
) -> tuple[float, ...]:
    if duration is None or observed is None:
        raise ConfigError(
            "a quantile time grid is fitted on training subjects: give duration and observed"
        )
    if duration.shape != observed.shape or duration.ndim != 1 or observed.dtype != torch.bool:
        raise DataError(
            f"duration and observed must be of one shape (batch), observed of dtype bool, "
            f"not {tuple(duration.shape)} and {tuple(observed.shape)} {observed.dtype}"
        )
    times = duration.to(torch.float64)[observed & (duration <= horizon)].sort().values
    count = len(times)
    # Inverse of the empirical distribution: the smallest event time by which (i + 1)/intervals of
    # the events happened.
    ranks = [-(-(i + 1) * count // intervals) - 1 for i in range(intervals - 1)] if count else []
    inner = sorted({float(times[max(rank, 0)]) for rank in ranks})
    grid = (*(edge for edge in inner if edge < horizon), float(horizon))
    if len(grid) < 2:
        raise DataError(
            f"a quantile time grid needs training events at two or more times up to the horizon "
            f"{horizon:g}, but {count} events leave {len(grid)} interval; "
            "use a uniform grid or a longer horizon"
        )
    return grid


@lru_cache(maxsize=64)
def _edges(time_grid: tuple[float, ...], device: torch.device) -> Tensor:
    # Kept per device: building it anew in every step would wait for a copy to the device.
    return torch.tensor(time_grid, dtype=torch.float64, device=device)
