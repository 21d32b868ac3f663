"""The censoring distribution, for inverse probability of censoring weights."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.nonparametric.kaplan_meier import SurvivalCurve, survival_curve
from survkit.nonparametric.observations import check_target
from survkit.nonparametric.ordering import ascending_order
from survkit.nonparametric.ratio import ratio_where
from survkit.nonparametric.risk_table import RiskTable, risk_table


def censoring_survival(training: SurvivalTarget) -> SurvivalCurve:
    """Estimate G(t) = P(censoring time > t) from training subjects.

    Reverse Kaplan–Meier: being censored is the event, an event of any cause ends the follow-up. At
    tied durations the events leave before the censorings, so nobody who had the event at t is at
    risk of being censored at t. Weight an event by 1 / ``before(duration)`` and a subject still at
    risk at t by 1 / ``at(t)``.

    It takes a whole :class:`SurvivalTarget` and no indicator, so it cannot be fitted to the events
    by mistake. Weights and delayed entry are honoured.

    Raises:
        DataError: The target is not a usable SurvivalTarget.
    """
    checked = check_target(training, "training")
    single = SurvivalTarget(
        checked.duration, (checked.event > 0).to(torch.int64), checked.entry, checked.weight
    )
    table = risk_table(single, causes=1)
    censored, events = table.leaving
    return survival_curve(
        RiskTable(table.times, table.at_risk - events, table.leaving), censored, 0.95
    )


def censoring_survival_replicates(
    training: SurvivalTarget, counts: Tensor, by_duration: tuple[Tensor, Tensor] | None = None
) -> tuple[Tensor, Tensor]:
    """G of every bootstrap replicate at once.

    Args:
        training: Checked training subjects without delayed entry.
        counts: How often each subject was drawn; (replicate, batch).
        by_duration: The sorted durations and their rows, where the caller has them already.

    Raises:
        DataError: Delayed entry.

    Returns:
        The distinct durations (grid) and G at them (replicate, grid), by cumulative sums over the
        counts.
    """
    if training.entry is not None:
        raise DataError(
            "training.entry: replicates of the censoring distribution know no delayed entry"
        )
    ascending, order = by_duration or ascending_order(training.duration)
    changes = torch.ones_like(ascending, dtype=torch.bool)
    torch.ne(ascending[1:], ascending[:-1], out=changes[:-1])
    last = changes.nonzero()[:, 0]  # torch.unique takes several times as long
    times = ascending.index_select(0, last)
    weight = counts.to(torch.float64)
    if training.weight is not None:
        weight = weight * training.weight
    weight = weight.index_select(1, order)
    everyone = weight.cumsum(1).index_select(1, last)
    is_censored = (training.event == 0).index_select(0, order)
    censored = weight.masked_fill(~is_censored, 0.0).cumsum(1).index_select(1, last)
    censored_here = torch.diff(censored, dim=1, prepend=torch.zeros_like(censored[:, :1]))
    # at risk of censoring at t = not yet gone before t, minus the events at t
    #                           = total - everyone gone until t + those censored at t
    at_risk = everyone[:, -1:] - everyone + censored_here
    share = ratio_where(censored_here > 0, censored_here, at_risk)
    return times, (1 - share).cumprod(1)
