"""What the three discrete-time heads have in common: their curves, and where they start."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from survkit.discrete import cumulative_incidence, log_pmf
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec


def predict_on_grid(
    parameters: Tensor, parameterization: str, outcome: OutcomeSpec
) -> GridPrediction:
    """Return the curves of discrete-time parameters, linear between interval edges, in float64."""
    log_event, _ = log_pmf(
        parameters.double(), parameterization, len(outcome.causes), outcome.intervals
    )
    edges = torch.tensor(outcome.time_grid, dtype=torch.float64, device=parameters.device)
    return GridPrediction(
        time_grid=edges, incidence=cumulative_incidence(log_event), interpolation="linear"
    )


def initial_log_odds(outcome: OutcomeSpec) -> float:
    """Return the log odds of one cause against no event within an interval, for a fresh head.

    The same hazard in every interval and of every cause, such that half of the subjects reach the
    horizon: a network that starts with a hazard of one half per interval first has to unlearn it.
    """
    survived = 0.5 ** (1 / outcome.intervals)
    return log((1 - survived) / len(outcome.causes) / survived)
