"""Inverse probability of censoring weights of events, for the data and for every replicate."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.ipcw import EventWeight
from survkit.nonparametric.censoring import censoring_survival_replicates


def check_event_weight(event_weight: EventWeight) -> EventWeight:
    """Return where G is read for an event after refusing any other word."""
    if event_weight not in ("before", "at"):
        raise DataError(f'event_weight must be "before" or "at", not {event_weight!r}')
    return event_weight


def check_no_entry(target: SurvivalTarget, metric: str) -> None:
    """Refuse evaluated subjects who entered late: the weights do not make up for that."""
    if target.entry is not None:
        raise DataError(f"target.entry: {metric} cannot use subjects who entered late")


def censoring_survival_at(
    training: SurvivalTarget, drawn: Tensor, duration: Tensor, event_weight: EventWeight
) -> Tensor:
    """G at each duration, or just before it, in every replicate.

    Args:
        training: The subjects of the censoring model, checked, without entry.
        drawn: How often each of them was drawn; (replicate, training).
        duration: (batch).
        event_weight: Where G is read.

    Returns:
        float64 (replicate, batch); NaN beyond the replicate's training follow-up, where G is
        unknown.
    """
    drawn = drawn.to(duration.device)
    knots, survival = censoring_survival_replicates(training, drawn)
    padded = torch.cat([torch.ones_like(survival[:, :1]), survival], dim=1)
    values = padded[:, torch.searchsorted(knots, duration, right=event_weight == "at")]
    last = torch.where(drawn > 0, training.duration, -torch.inf).amax(dim=1)
    return torch.where(duration <= last[:, None], values, torch.nan)


def unknown_weight(training: SurvivalTarget, time: float, cure: str) -> str:
    """Say why an event at that time has no weight."""
    last = float(training.duration.max())
    if time > last:
        return (
            f"an event at {time:g} lies beyond the training follow-up, which ends at {last:g}: "
            f"nothing is known about censoring there; {cure}"
        )
    return f"every training subject still followed is censored by {time:g}; {cure}"


def describe_weights(training: SurvivalTarget, weights: Tensor) -> str:
    """Say on whom the weights rest and how many equally weighted events they amount to."""
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    return (
        f"inverse probability of censoring weights of {len(training.duration)} training subjects, "
        f"not truncated, effective number of events {effective:.1f}"
    )
