"""By what log hazards that were shrunk in training should be multiplied."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.losses.cox import ordered_cox_loss
from survkit.losses.risk_sets import RiskSetOrder, risk_set_order

_LIMIT = 50.0
"""Log hazard ratio between the extreme subjects beyond which the order counts as perfect: there the
likelihood only stops rising because numbers end."""
_HALVINGS = 60


def log_hazard_slope(
    log_hazard: Tensor,
    duration: Tensor,
    observed: Tensor,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    strata: Tensor | None = None,
) -> float | None:
    """Return the coefficient of a Cox model whose only covariate is the log hazard.

    Above 1 the log hazards are shrunk too much for these subjects, below 1 they are spread too far.

    Args:
        log_hazard: Log relative hazard; float64 (batch).
        duration: Time of event or censoring; (batch).
        observed: Whether the event was observed; bool (batch).
        entry: Delayed entry; (batch).
        weight: Case weight > 0; (batch).
        strata: Group with its own baseline hazard; (batch).

    Returns:
        The coefficient of greatest partial likelihood, or ``None`` where it is not positive and
        finite: without an event, where the order is no better than chance, or is perfect.

    Reference: Cox (1958), Biometrika 45:562, for the slope as a check of calibration; van
        Houwelingen and le Cessie (1990), Stat. Med. 9:1303.
    """
    spread = float(log_hazard.max() - log_hazard.min()) if len(log_hazard) else 0.0
    if spread == 0 or not bool(observed.any()):
        return None
    unit = log_hazard / spread
    order = risk_set_order(duration, entry=entry, strata=strata)

    def rises(coefficient: float) -> bool:
        """Whether the convex loss rises at a coefficient of the unit log hazards."""
        return _gradient(unit, coefficient, observed, order, weight) >= 0

    low, high = 0.0, _LIMIT
    if rises(low) or not rises(high):
        return None
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if rises(middle) else (middle, high)
    return (low + high) / 2 / spread


def _gradient(
    unit: Tensor,
    coefficient: float,
    observed: Tensor,
    order: RiskSetOrder,
    weight: Tensor | None,
) -> float:
    at = torch.full((), coefficient, dtype=unit.dtype, requires_grad=True)
    with torch.enable_grad():
        loss = ordered_cox_loss(unit * at, observed, order, weight=weight)
        (slope,) = torch.autograd.grad(loss, at)
    return float(slope)
