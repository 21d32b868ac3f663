"""DeepHit's likelihood: the first term of its loss."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from survkit.discrete import DISCRETE_PARAMETERIZATIONS, log_pmf
from survkit.errors import ConfigError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise, entry_index

Censored = Literal["inclusive", "exclusive"]
"""Whether a subject censored inside an interval survived it (``"inclusive"``) or may not have."""


def deephit_likelihood(
    log_event: Tensor,
    log_none: Tensor,
    interval: Tensor,
    event: Tensor,
    *,
    censored: Censored = "inclusive",
    entry: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood of events and of being event-free.

    Args:
        log_event: log P(event of cause k in interval t); (batch, cause, grid).
        log_none: log P(no event by the horizon); (batch).
        interval: 0..grid, grid for "event-free at the horizon"; int64 (batch).
        event: 0 for censored, else the cause; int64 (batch).
        censored: ``"inclusive"``: the probability of later intervals only, as printed;
            ``"exclusive"``: of the own interval too.
        entry: First interval at risk; the likelihood is then conditional on no event before it.
            int64 (batch).
        weight: Case weight > 0; the mean is weighted; (batch).

    Reference: Lee, Zame, Yoon & van der Schaar (2018), AAAI, L1, which is a sum over subjects.
    """
    intervals = log_event.shape[2]
    log_any = log_event.logsumexp(1)
    first_left = interval + 1 if censored == "inclusive" else interval
    own = (event - 1).clamp(min=0) * intervals + interval.clamp(max=intervals - 1)
    log_own = log_event.flatten(1).gather(1, own.unsqueeze(1)).squeeze(1)
    term = torch.where(event > 0, log_own, _log_free_before(log_any, log_none, first_left))
    if entry is not None:
        late = entry > 0
        term = term - torch.where(late, _log_free_before(log_any, log_none, entry), 0.0)
    return mean_negative(term, weight)


def mean_negative(term: Tensor, weight: Tensor | None) -> Tensor:
    """Return the negative mean of log-likelihood terms (batch), weighted where asked."""
    if weight is None:
        return -term.mean()
    share = weight.to(term.dtype)
    return -(share * term).sum() / share.sum()


def _log_free_before(log_any: Tensor, log_none: Tensor, interval: Tensor) -> Tensor:
    """Return log P(no event in the intervals before the given one): (batch)."""
    grid = torch.arange(log_any.shape[1], device=log_any.device)
    left = log_any.masked_fill(grid < interval.unsqueeze(1), -torch.inf)
    return torch.cat([left, log_none.unsqueeze(1)], dim=1).logsumexp(1)


class DeepHitLikelihood:
    """The likelihood term of DeepHit, for one or several causes.

    Delayed entry and weights are honoured.

    Args:
        outcome: Names the causes and the time grid.
        censored: Whether a subject censored inside an interval survived it; ``"inclusive"`` as in
            the paper.
    """

    def __init__(self, outcome: OutcomeSpec, *, censored: Censored = "inclusive") -> None:
        check_censored(censored)
        self._outcome = outcome
        self._censored = censored

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return DISCRETE_PARAMETERIZATIONS

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "deephit-likelihood", "strata")
        outcome = self._outcome
        log_event, log_none = log_pmf(
            output.parameters, output.parameterization, len(outcome.causes), outcome.intervals
        )
        interval, event = discretise(target, outcome)
        entry = None if target.entry is None else entry_index(target.entry, outcome.time_grid)
        return deephit_likelihood(
            log_event,
            log_none,
            interval,
            event,
            censored=self._censored,
            entry=entry,
            weight=target.weight,
        )


def check_censored(censored: str) -> None:
    """Refuse a setting that is not one of :data:`Censored`."""
    if censored not in ("inclusive", "exclusive"):
        raise ConfigError(f"censored must be 'inclusive' or 'exclusive', not {censored!r}")
