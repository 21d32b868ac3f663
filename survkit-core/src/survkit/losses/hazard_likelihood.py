"""The likelihood of discrete-time hazards, one cause or several."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.discrete import log_interval_hazard
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.losses.deephit_likelihood import Censored, check_censored, mean_negative
from survkit.losses.unsupported import refuse_unsupported
from survkit.specs import OutcomeSpec
from survkit.time_grid import discretise, entry_index


def hazard_likelihood(
    log_hazard: Tensor,
    log_no_event: Tensor,
    interval: Tensor,
    event: Tensor,
    *,
    censored: Censored = "exclusive",
    entry: Tensor | None = None,
    weight: Tensor | None = None,
) -> Tensor:
    """Return the mean negative log-likelihood of an event and of no event before it.

    Args:
        log_hazard: log P(event of cause k in interval t | no event before); (batch, cause, grid).
        log_no_event: log P(no event in interval t | no event before); (batch, grid).
        interval: 0..grid, grid for "event-free at the horizon"; int64 (batch).
        event: 0 for censored, else the cause; int64 (batch).
        censored: ``"exclusive"``: a censored subject survived the intervals before its own, as
            printed; ``"inclusive"``: its own as well.
        entry: First interval at risk; earlier ones drop out; int64 (batch).
        weight: Case weight > 0; the mean is weighted; (batch).

    Reference: Farooq et al. (2025), arXiv 2505.02529, eq. 12, which is a sum over subjects; for
        one cause Brown (1975), Biometrics 31:863.
    """
    intervals = log_no_event.shape[1]
    grid = torch.arange(intervals, device=log_no_event.device)
    survived = grid < interval.unsqueeze(1)
    if censored == "inclusive":
        survived = survived | ((grid == interval.unsqueeze(1)) & (event == 0).unsqueeze(1))
    if entry is not None:
        survived = survived & (grid >= entry.unsqueeze(1))
    own = (event - 1).clamp(min=0) * intervals + interval.clamp(max=intervals - 1)
    log_own = log_hazard.flatten(1).gather(1, own.unsqueeze(1)).squeeze(1)
    term = torch.where(survived, log_no_event, 0.0).sum(1) + torch.where(event > 0, log_own, 0.0)
    return mean_negative(term, weight)


class HazardLikelihood:
    """The likelihood of discrete-time hazards. Delayed entry and weights are honoured.

    Args:
        outcome: Names the causes and the time grid.
        censored: Whether a subject censored inside an interval survived it; ``"exclusive"`` as
            printed in RobSurv, ``"inclusive"`` as in the usual logistic hazard model.
    """

    def __init__(self, outcome: OutcomeSpec, *, censored: Censored = "exclusive") -> None:
        check_censored(censored)
        self._outcome = outcome
        self._censored = censored

    @property
    def accepts(self) -> tuple[str, ...]:
        """The parameterizations it can read."""
        return ("interval-hazard", "cause-interval-hazard")

    def __call__(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the scalar loss."""
        refuse_unsupported(target, "hazard-likelihood", "strata")
        outcome = self._outcome
        log_hazard, log_no_event = log_interval_hazard(
            output.parameters, output.parameterization, len(outcome.causes), outcome.intervals
        )
        interval, event = discretise(target, outcome)
        entry = None if target.entry is None else entry_index(target.entry, outcome.time_grid)
        return hazard_likelihood(
            log_hazard,
            log_no_event,
            interval,
            event,
            censored=self._censored,
            entry=entry,
            weight=target.weight,
        )
