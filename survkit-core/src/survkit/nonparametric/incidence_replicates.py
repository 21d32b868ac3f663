"""Aalen–Johansen's cumulative incidence of every bootstrap replicate at once."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.flow import SurvivalTarget
from survkit.nonparametric.ratio import ratio_where


def incidence_replicates(
    target: SurvivalTarget, counts: Tensor, cause: int | None, times: Tensor
) -> Tensor:
    """P(event of the cause by t) of every replicate, by cumulative sums over the counts.

    Args:
        target: Checked subjects; delayed entry and weights are honoured.
        counts: How often each subject was drawn; (replicate, batch).
        cause: The cause asked about, ``None`` for an event of any cause (1 - Kaplan–Meier).
        times: float64 (grid).

    Returns:
        float64 (replicate, grid); the last value is kept after the last duration.
    """
    knots, place = torch.unique(target.duration, return_inverse=True)
    weight = counts.to(torch.float64)
    if target.weight is not None:
        weight = weight * target.weight

    def at_knots(rows: Tensor) -> Tensor:
        sums = weight.new_zeros(len(weight), len(knots))
        return sums.index_add_(1, place[rows], weight[:, rows])

    everybody = torch.ones_like(target.event, dtype=torch.bool)
    at_risk = at_knots(everybody).flip(1).cumsum(1).flip(1)
    if target.entry is not None:
        # Who enters after a knot is counted too early there.
        entered = torch.searchsorted(knots, target.entry, right=True)
        waiting = weight.new_zeros(len(weight), len(knots) + 1).index_add_(1, entered, weight)
        at_risk = at_risk - waiting.flip(1).cumsum(1).flip(1)[:, 1:]
    gone = at_knots(target.event > 0)
    own = gone if cause is None else at_knots(target.event == cause)
    survival = (1 - ratio_where(gone > 0, gone, at_risk)).cumprod(1)
    before = torch.cat([torch.ones_like(survival[:, :1]), survival[:, :-1]], dim=1)
    steps = ratio_where(own > 0, before * own, at_risk)
    incidence = torch.cat([torch.zeros_like(steps[:, :1]), steps.cumsum(1)], dim=1)
    return incidence[:, torch.searchsorted(knots, times, right=True)]
