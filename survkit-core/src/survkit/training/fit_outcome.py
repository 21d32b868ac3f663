"""Causes, horizon and time grid of one training part."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from survkit.data import Cohort
from survkit.errors import ConfigError
from survkit.recipe import Recipe
from survkit.specs import OutcomeSpec
from survkit.time_grid import fit_time_grid


def fit_outcome(recipe: Recipe, cohort: Cohort, train: Sequence[int]) -> OutcomeSpec:
    """Return the outcome, a quantile grid being fitted on the training subjects alone.

    Raises:
        ConfigError: Units differ, or nobody in training was followed up to the horizon or had an
            event by then.
    """
    check_unit(recipe, cohort)
    settings, target = recipe.outcome, cohort.target(train)
    longest = float(target.duration.max())
    if longest < settings.horizon:
        raise ConfigError(
            f"outcome.horizon is {settings.horizon:g} {settings.unit}, but no training subject was "
            f"followed for longer than {longest:g}; set a shorter horizon"
        )
    if not bool(((target.event > 0) & (target.duration <= settings.horizon)).any()):
        raise ConfigError(
            f"none of the {len(train)} training subjects has an event by outcome.horizon, "
            f"{settings.horizon:g} {settings.unit}, so nothing can be learnt about it; set a "
            "longer horizon, or divide the cohort otherwise"
        )
    grid = fit_time_grid(
        settings.grid.kind,
        intervals=settings.grid.intervals,
        horizon=settings.horizon,
        edges=settings.grid.edges,
        duration=target.duration,
        observed=target.event > 0,
    )
    return OutcomeSpec(
        causes=cohort.causes, horizon=settings.horizon, time_grid=grid, time_unit=settings.unit
    )


def check_unit(recipe: Recipe, cohort: Cohort) -> None:
    """Refuse a horizon in another unit than the durations.

    Raises:
        ConfigError: Units differ.
    """
    if recipe.outcome.unit != cohort.time_unit:
        raise ConfigError(
            f"the recipe speaks of {recipe.outcome.unit}, but the durations of {cohort.source} are "
            f"in {cohort.time_unit}; set outcome.unit and outcome.horizon for this cohort"
        )


def evaluation_times(recipe: Recipe) -> torch.Tensor:
    """Return the times at which predictions are kept; the last is the horizon."""
    points, grid = recipe.outcome.evaluation_points, recipe.outcome.grid
    if points == "edges":
        edges = fit_time_grid(
            grid.kind,
            intervals=grid.intervals,
            horizon=recipe.outcome.horizon,
            edges=grid.edges,
        )
        return torch.tensor(edges, dtype=torch.float64)
    steps = torch.arange(1, points + 1, dtype=torch.float64)
    times = steps * (recipe.outcome.horizon / points)
    times[-1] = recipe.outcome.horizon
    return times
