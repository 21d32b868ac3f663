"""The likelihood of Weibull-distributed durations."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import mean_negative
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec


def weibull_loss(
    log_scale: Tensor,
    log_shape: Tensor,
    duration: Tensor,
    observed: Tensor,
    *,
    entry: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood, S(t) being exp(-(t / scale)^shape).

    Args:
        log_scale: Logarithm of the scale, in the unit of the durations; (batch).
        log_shape: Logarithm of the shape; (batch).
        duration: Time of event or censoring, > 0; (batch).
        observed: Whether the event was observed; bool (batch).
        entry: Delayed entry >= 0; the likelihood is conditional on S(entry); (batch).
        weight: Case weight > 0; the mean is weighted; (batch).

    Returns:
        A scalar; float64 if the parameters are, else float32. The maths is done in float64.
    """
    scale, log_k = log_scale.to(torch.float64), log_shape.to(torch.float64)
    shape = log_k.exp()
    log_time = duration.to(torch.float64).log()
    log_cumulative = shape * (log_time - scale)
    term = torch.where(observed, log_k + log_cumulative - log_time, 0.0) - log_cumulative.exp()
    if entry is not None:
        late = entry > 0
        since = torch.where(late, entry, 1.0).to(torch.float64).log()
        term = term + torch.where(late, (shape * (since - scale)).exp(), 0.0)
    return mean_negative(term, weight).to(torch.promote_types(log_scale.dtype, torch.float32))


class WeibullLoss:
    """The Weibull likelihood of one cause.

    Follow-up ends at the horizon; delayed entry and weights are honoured.

    Args:
        outcome: Names the cause and the horizon.
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        if len(outcome.causes) != 1:
            raise DataError(
                f"the loss 'weibull' is for one cause, but the outcome has {len(outcome.causes)}"
            )
        self._horizon = outcome.horizon

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("weibull",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "weibull", "strata")
        if output.parameters.shape[1:] != (2,):
            raise DataError(
                f"'weibull' parameters must be (batch, 2), not {tuple(output.parameters.shape)}"
            )
        log_scale, log_shape = output.parameters.unbind(1)
        return weibull_loss(
            log_scale,
            log_shape,
            target.duration.clamp(max=self._horizon),
            (target.event > 0) & (target.duration <= self._horizon),
            entry=None if target.entry is None else target.entry.clamp(max=self._horizon),
            weight=target.weight,
        )
