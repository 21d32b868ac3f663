"""The likelihood of a piecewise constant hazard, at exact times."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from survkit.discrete import promoted
from survkit.errors import DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import mean_negative
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec
from survkit.time_grid import interval_index

SMALL = -30.0
"""Below it log(softplus(x)) is x to all digits, and softplus soon is 0."""


class PiecewiseLikelihood:
    """Mean negative log-likelihood of exact times under a hazard constant within intervals.

    The hazard of an event is per width of its interval: the logarithm of the width, which no
    parameter changes, is left out. Follow-up ends at the horizon: a later event counts as censored
    there. Delayed entry (its cumulative hazard drops out) and weights are honoured.

    Args:
        outcome: Names the cause and the time grid.

    Reference: Kvamme and Borgan (2021), Lifetime Data Analysis 27:710, equation 13, times -1.
    """

    def __init__(self, outcome: OutcomeSpec) -> None:
        self._outcome = outcome

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("piecewise-hazard",)

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "piecewise-likelihood", "strata")
        parameters = promoted(output.parameters)
        check_parameters(parameters, self._outcome)
        interval, share, event = interval_share(target, self._outcome)
        gained = functional.softplus(parameters)
        own = parameters.gather(1, interval[:, None])[:, 0]
        term = torch.where(event > 0, log_softplus(own), 0.0) - _cumulative(gained, interval, share)
        if target.entry is not None:
            late, part = _position(target.entry, self._outcome)
            term = term + _cumulative(gained, late, part)
        return mean_negative(term, target.weight)


def interval_share(target: SurvivalTarget, outcome: OutcomeSpec) -> tuple[Tensor, Tensor, Tensor]:
    """Return each subject's last interval, how much of it was observed, and the event until then.

    Returns:
        ``interval`` int64 (batch), 0..grid - 1; ``share`` in (0, 1], float64 (batch); ``event``
        int64 (batch), 0 for censored and for events after the horizon.
    """
    event = target.event.masked_fill(target.duration > outcome.horizon, 0)
    return (*_position(target.duration, outcome), event)


def log_softplus(values: Tensor) -> Tensor:
    """Return log(log(1 + exp(x))), finite with a finite gradient for every finite x."""
    safe = functional.softplus(values.clamp(min=SMALL)).log()
    return torch.where(values < SMALL, values, safe)


def check_parameters(parameters: Tensor, outcome: OutcomeSpec) -> None:
    """Refuse parameters of another shape than (batch, grid).

    Raises:
        DataError: They have.
    """
    if parameters.ndim != 2 or parameters.shape[1] != outcome.intervals:
        raise DataError(
            f"'piecewise-hazard' parameters must be of shape (batch, {outcome.intervals}), not "
            f"{tuple(parameters.shape)}; were head and loss built with the same outcome?"
        )


def _position(times: Tensor, outcome: OutcomeSpec) -> tuple[Tensor, Tensor]:
    """Return the interval that holds each time, up to the horizon, and the share before it."""
    until = times.to(torch.float64).clamp(max=outcome.horizon)
    edges = torch.tensor((0.0, *outcome.time_grid), dtype=torch.float64, device=times.device)
    interval = interval_index(until, outcome.time_grid)
    return interval, (until - edges[interval]) / edges.diff()[interval]


def _cumulative(gained: Tensor, interval: Tensor, share: Tensor) -> Tensor:
    """Return the cumulative hazard (batch) from what each interval adds (batch, grid)."""
    grid = torch.arange(gained.shape[1], device=gained.device)
    whole = torch.where(grid < interval[:, None], gained, 0.0).sum(dim=1)
    return whole + share.to(gained.dtype) * gained.gather(1, interval[:, None])[:, 0]
