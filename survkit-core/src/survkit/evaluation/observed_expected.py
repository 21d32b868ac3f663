"""Observed over expected events of a cause at the horizon."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.evaluation.observed_incidence import incidence_at, unobserved
from survkit.evaluation.part import NO_PROBABILITIES, Part
from survkit.metrics.estimate import Undefined


def observed_over_expected(part: Part) -> Tensor | Undefined:
    """Aalen–Johansen incidence at the horizon over the mean predicted incidence; (replicate).

    With one cause the numerator is 1 minus Kaplan–Meier.
    """
    table, weights = part.predictions, part.scored
    if table.cumulative_incidence is None:
        return part.undefined(NO_PROBABILITIES)
    unknown = unobserved(part)
    if unknown is not None:
        return unknown
    predicted = torch.from_numpy(table.cumulative_incidence[part.rows, part.cause - 1, -1].copy())
    expected = (weights @ predicted) / weights.sum(dim=1)
    if bool(expected[0] == 0):
        return part.undefined("the model predicts no event at all by the horizon")
    observed = incidence_at(part, torch.tensor([table.horizon], dtype=torch.float64))[:, 0]
    ratio: Tensor = observed / expected
    return ratio
