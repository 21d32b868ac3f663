"""Cox's partial likelihood as a loss."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.partial_likelihood import Ties, partial_likelihood
from survkit.losses.risk_sets import RiskSetOrder, risk_set_order
from survkit.specs import OutcomeSpec

AfterHorizon = Literal["censored", "events"]


def cox_loss(
    log_hazard: Tensor,
    duration: Tensor,
    observed: Tensor,
    *,
    ties: Ties = "breslow",
    entry: Tensor | None = None,
    weight: Tensor | None = None,
    strata: Tensor | None = None,
) -> Tensor:
    """Return the negative log partial likelihood per event.

    It does not depend on the order of the rows nor on adding a constant to all log hazards, and is
    exact whatever their range. Without an event it is 0 with gradient 0.

    >>> loss = cox_loss(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 2.0]), torch.tensor([True,
    False])) >>> round(float(loss), 4)  # log(1 + exp(-1))
    0.3133

    Args:
        log_hazard: Log relative hazard; (batch).
        duration: Time of event or censoring; (batch). Float64, or rounding makes ties of its own.
        observed: Whether the event was observed; bool (batch).
        ties: How tied events share a risk set.
        entry: Delayed entry, < duration: at risk at t if entry < t <= duration; (batch).
        weight: Case weight > 0; the loss is then per sum of the weights of the events; (batch).
        strata: Group with its own baseline hazard; int64 (batch).

    Returns:
        A scalar; float64 if ``log_hazard`` is, else float32. The maths is done in float64.

    Reference: Cox (1972); ties as in Breslow (1974) or Efron (1977).
    """
    order = risk_set_order(duration, entry=entry, strata=strata)
    return ordered_cox_loss(log_hazard, observed, order, ties=ties, weight=weight)


def ordered_cox_loss(
    log_hazard: Tensor,
    observed: Tensor,
    order: RiskSetOrder,
    *,
    ties: Ties = "breslow",
    weight: Tensor | None = None,
) -> Tensor:
    """Return :func:`cox_loss` of subjects whose risk sets are already sorted, several times faster.

    Args:
        log_hazard: Log relative hazard; (batch).
        observed: Whether the event was observed; bool (batch).
        order: :func:`survkit.losses.risk_sets.risk_set_order` of the same subjects in the same
            rows.
        ties: How tied events share a risk set.
        weight: Case weight > 0; (batch).
    """
    if ties not in ("breslow", "efron"):
        raise ConfigError(f"ties must be 'breslow' or 'efron', not {ties!r}")
    if (
        log_hazard.ndim != 1
        or observed.shape != log_hazard.shape
        or len(order.order) != len(log_hazard)
    ):
        raise DataError(
            f"log hazards, observed and durations must all be of shape (batch), not "
            f"{tuple(log_hazard.shape)}, {tuple(observed.shape)} and {tuple(order.order.shape)}"
        )
    if observed.dtype != torch.bool:
        raise DataError(
            f"observed must be of dtype bool, not {observed.dtype}; "
            "pass event > 0 or event == cause"
        )
    value = partial_likelihood(log_hazard, observed, weight, order, ties)
    return value.to(torch.promote_types(log_hazard.dtype, torch.float32))


class CoxLoss:
    """Sum over causes of the negative log partial likelihoods, each per event of its cause.

    Somebody with an event of another cause counts as censored then. Delayed entry, weights and
    strata are honoured.

    Args:
        outcome: Names the causes.
        ties: ``"breslow"`` or ``"efron"``.
        after_horizon: Whether events after the horizon count as ``"censored"``, as in the metrics
            at the horizon, or as ``"events"``: under proportional hazards they tell about the
            earlier ones too, and the model is then the Cox model of the whole follow-up.

    Reference: Prentice et al. (1978), Biometrics 34:541, for several causes.
    """

    def __init__(
        self,
        outcome: OutcomeSpec,
        *,
        ties: Ties = "breslow",
        after_horizon: AfterHorizon = "censored",
    ) -> None:
        if ties not in ("breslow", "efron"):
            raise ConfigError(f"ties must be 'breslow' or 'efron', not {ties!r}")
        if after_horizon not in get_args(AfterHorizon):
            raise ConfigError(
                f"after_horizon must be 'censored' or 'events', not {after_horizon!r}"
            )
        self._causes = len(outcome.causes)
        self._until = outcome.horizon if after_horizon == "censored" else torch.inf
        self._ties: Ties = ties

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("log-hazard",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        log_hazard = output.parameters
        if log_hazard.shape[1:] != (self._causes,):
            raise DataError(
                f"'log-hazard' parameters must be (batch, {self._causes}), "
                f"not {tuple(log_hazard.shape)}"
            )
        within = target.duration <= self._until
        order = risk_set_order(target.duration, entry=target.entry, strata=target.strata)
        terms = [
            ordered_cox_loss(
                log_hazard[:, cause],
                (target.event == cause + 1) & within,
                order,
                ties=self._ties,
                weight=target.weight,
            )
            for cause in range(self._causes)
        ]
        return torch.stack(terms).sum()
