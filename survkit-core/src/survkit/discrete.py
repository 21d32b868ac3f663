"""Discrete-time distributions, in log space: from parameters to log-probabilities of outcomes.

Whatever the parameterization, the model is one distribution over ``cause * grid + 1`` outcomes:
the event of cause k happens in interval t, or nothing happens up to the horizon.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from survkit.errors import CompositionError, DataError

DISCRETE_PARAMETERIZATIONS = ("pmf", "interval-hazard", "cause-interval-hazard")
"""What :func:`log_pmf` can read."""


def log_pmf(
    parameters: Tensor, parameterization: str, causes: int, intervals: int
) -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of every outcome.

    Args:
        parameters: A head's parameters; shapes as in :mod:`survkit.protocols`.
        parameterization: One of :data:`DISCRETE_PARAMETERIZATIONS`.
        causes: Number of causes K.
        intervals: Number of intervals T up to the horizon.

    Returns:
        ``log_event`` (batch, cause, grid): log P(event of cause k in interval t); ``log_none``
        (batch): log P(no event by the horizon). Their exponentials sum to one. float64 if the
        parameters are, else float32.

    Raises:
        CompositionError: The parameterization is not discrete.
        DataError: The parameters have another shape than it asks for.
    """
    if parameterization == "pmf":
        return _from_pmf(promoted(parameters), causes, intervals)
    log_hazard, log_no_event = log_interval_hazard(parameters, parameterization, causes, intervals)
    log_survival = log_no_event.cumsum(dim=1)
    before = functional.pad(log_survival[:, :-1], (1, 0))  # at the left edge of each interval
    return log_hazard + before.unsqueeze(1), log_survival[:, -1]


def log_interval_hazard(
    parameters: Tensor, parameterization: str, causes: int, intervals: int
) -> tuple[Tensor, Tensor]:
    """Return the log conditional probabilities within each interval, given no event before it.

    Args:
        parameters: (batch, grid) for ``"interval-hazard"``, (batch, grid, cause + 1) for
            ``"cause-interval-hazard"``.
        parameterization: One of these two.
        causes: Number of causes K.
        intervals: Number of intervals T.

    Returns:
        ``log_hazard`` (batch, cause, grid) and ``log_no_event`` (batch, grid).

    Raises:
        CompositionError: Another parameterization, or ``"interval-hazard"`` with several causes.
        DataError: The parameters have another shape than it asks for.
    """
    values = promoted(parameters)
    if parameterization == "interval-hazard":
        if causes != 1:
            raise CompositionError(
                f"'interval-hazard' parameters describe one cause, but the outcome has {causes}; "
                "use a head that gives 'cause-interval-hazard' or 'pmf'"
            )
        _check_shape(values, parameterization, (intervals,))
        return functional.logsigmoid(values).unsqueeze(1), functional.logsigmoid(-values)
    if parameterization == "cause-interval-hazard":
        _check_shape(values, parameterization, (intervals, causes + 1))
        log_share = values.log_softmax(dim=2)
        return log_share[:, :, 1:].transpose(1, 2), log_share[:, :, 0]
    raise CompositionError(
        f"discrete-time probabilities need parameters of {', '.join(DISCRETE_PARAMETERIZATIONS)} "
        f"(hazards: the last two), not {parameterization!r}; choose another head or loss"
    )


def cumulative_incidence(log_event: Tensor) -> Tensor:
    """Return P(event of cause k by the end of interval t); (batch, cause, grid)."""
    return log_event.exp().cumsum(dim=2)


def promoted(parameters: Tensor) -> Tensor:
    """Return parameters as float64 if they are float64, else as float32."""
    return parameters if parameters.dtype == torch.float64 else parameters.to(torch.float32)


def _from_pmf(logits: Tensor, causes: int, intervals: int) -> tuple[Tensor, Tensor]:
    _check_shape(logits, "pmf", (causes * intervals + 1,))
    log_share = logits.log_softmax(dim=1)
    return log_share[:, :-1].reshape(-1, causes, intervals), log_share[:, -1]


def _check_shape(parameters: Tensor, parameterization: str, shape: tuple[int, ...]) -> None:
    if parameters.shape[1:] != shape or parameters.ndim == 0:
        raise DataError(
            f"{parameterization!r} parameters must be of shape "
            f"(batch, {', '.join(map(str, shape))}), not {tuple(parameters.shape)}; "
            "were head and loss built with the same outcome?"
        )
