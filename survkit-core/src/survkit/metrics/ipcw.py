"""What censored scores need: errors that were seen, and how likely it was that they were seen.

A prediction of P(event by t) is compared with what happened by t. Who had an event by t (of any
cause) is weighted by 1 / G(duration-), who is still at risk after t by 1 / G(t), who was censored
before counts nothing; G is the censoring survival of the training subjects.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import check_incidence
from survkit.nonparametric.censoring import censoring_survival_replicates
from survkit.nonparametric.observations import check_target
from survkit.nonparametric.ordering import ascending_order, positions_of
from survkit.nonparametric.ratio import ratio_where
from survkit.prediction import Times

EventWeight = Literal["before", "at"]
"""Where G is read for an event: ``"before"`` its duration, as the theory has it (Graf and others,
1999), or ``"at"`` it, as scikit-survival does. They differ only where somebody was censored at
that very time."""


ROW_CELLS = 2**14
"""Most cells of the blocks of rows in which errors are computed: they stay in cache."""


@dataclass(frozen=True, slots=True)
class SquaredErrors:
    """Predictions at some times beside what happened.

    Attributes:
        times: Increasing; float64 (grid).
        incidence: Predicted P(event by t); float64 (batch, grid).
        duration: float64 (batch).
        happened: Had an event of any cause; bool (batch).
        outcome: 1 if of the cause asked, else 0; float64 (batch).
    """

    times: Tensor
    incidence: Tensor
    duration: Tensor
    happened: Tensor
    outcome: Tensor

    def weighted_sums_once(
        self, order: Tensor, at_risk: Tensor, at_event: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give :meth:`weighted_sums` of one replicate on a CPU in a quarter of the time.

        For one replicate the fixed cost of each operation decides, and numpy's is a fifth of
        torch's.
        """
        size = max(1, ROW_CELLS // len(self.times))
        rows, weight, inverse = order.numpy(), at_risk[0].numpy(), at_event[0].numpy()
        values, outcome = self.incidence.numpy(), self.outcome.numpy()[rows, None]
        gone_by = np.searchsorted(self.duration.numpy()[rows], self.times.numpy(), "right").tolist()
        sums = at_risk.new_zeros(2, 1, len(gone_by))
        risk_sum, event_sum = sums[:, 0].numpy()
        for begin in range(0, len(rows), size):
            own = slice(begin, begin + size)
            end = min(begin + size, len(rows))
            # Before column `some` the whole block is still at risk, from column `none` on nobody.
            some, none = bisect_right(gone_by, begin), bisect_left(gone_by, end)
            block = values.take(rows[own], axis=0)
            missed = outcome[own] - block[:, some:]
            missed *= missed
            squared = np.square(block[:, :none])
            for column in range(some, none):
                gone = gone_by[column] - begin
                squared[:gone, column] = 0.0
                missed[gone:, column - some] = 0.0
            risk_sum[:none] += np.einsum("i,ij->j", weight[own], squared)
            event_sum[some:] += np.einsum("i,ij->j", inverse[own], missed)
        return sums[0], sums[1]

    def weighted_sums(
        self, order: Tensor, at_risk: Tensor, at_event: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Sum weighted squared errors over the subjects.

        Args:
            order: Rows by duration; int64 (batch).
            at_risk: Weight of each ordered row while it is at risk; (replicate, batch).
            at_event: Its weight once it had an event, 0 if censored; (replicate, batch).

        Returns:
            The sum of F² of those still at risk after t, and the sum of (outcome - F)² of those
            with an event by t; float64 (replicate, grid) each.
        """
        size = max(1, ROW_CELLS // len(self.times))
        duration = self.duration.index_select(0, order)
        gone = torch.searchsorted(duration, self.times, right=True)  # duration <= t, per time
        gone_by = gone.tolist()
        risk_sum = at_risk.new_zeros(len(at_risk), len(self.times))
        event_sum = torch.zeros_like(risk_sum)
        for number, block in enumerate(torch.split(order, size)):
            rows = slice(number * size, number * size + len(block))
            # Before column `some` the whole block is still at risk, from column `none` on nobody.
            some, none = bisect_right(gone_by, rows.start), bisect_left(gone_by, rows.stop)
            values = self.incidence.index_select(0, block)
            squared = values[:, :none].square()
            outcome = self.outcome.index_select(0, block)
            missed = (outcome[:, None] - values[:, some:]).square_()
            if some < none:
                place = torch.arange(rows.start, rows.stop, device=order.device)
                later = place[:, None] >= gone[some:none]
                squared[:, some:].mul_(later)
                missed[:, : none - some].mul_(~later)
            risk_sum[:, :none] += at_risk[:, rows] @ squared
            event_sum[:, some:] += at_event[:, rows] @ missed
        return risk_sum, event_sum


def squared_errors(
    incidence: Tensor, times: Times, target: SurvivalTarget, cause: int | None
) -> SquaredErrors:
    """Set predictions beside a checked target.

    Args:
        incidence: Predicted P(event by t); (batch, grid).
        times: Increasing, >= 0; (grid).
        target: What was observed.
        cause: Which events count as outcome 1; any of them where it is ``None``.

    Raises:
        DataError: An argument has the wrong type, shape or value; delayed entry.
    """
    if target.entry is not None:
        raise DataError(
            "target.entry: a Brier score from time 0 cannot use subjects who entered late"
        )
    values = check_incidence(incidence, len(target.duration)).to(torch.float64)
    asked = check_grid(times, values.shape[1]).to(values.device)
    own = target.event > 0 if cause is None else target.event == cause
    return SquaredErrors(asked, values, target.duration, target.event > 0, own.to(values.dtype))


def check_grid(times: Times, size: int) -> Tensor:
    """Return times as float64 (grid) after refusing what is negative or does not increase."""
    asked = torch.as_tensor(times, dtype=torch.float64)
    if asked.ndim != 1 or len(asked) != size:
        raise DataError(f"times must hold one time per column ({size}), not {tuple(asked.shape)}")
    wrong = ~torch.isfinite(asked) | (asked < 0)
    wrong[1:] |= asked[1:] <= asked[:-1]
    if bool(wrong.any()):
        raise DataError(f"times must be finite, >= 0 and increasing, not {asked.tolist()}")
    return asked


def check_training(training: SurvivalTarget) -> SurvivalTarget:
    """Return checked training subjects for a censoring model."""
    checked = check_target(training, "training")
    if checked.entry is not None:
        raise DataError(
            "training.entry: the censoring distribution under delayed entry is not identified from "
            "durations alone; leave the entry out only if nobody entered late"
        )
    return checked


def weighted_errors(
    errors: SquaredErrors,
    target: SurvivalTarget,
    training: SurvivalTarget,
    counts: tuple[Tensor, Tensor],
    event_weight: EventWeight,
) -> Tensor:
    """Mean weighted squared error in every replicate.

    Args:
        errors: Of the target's subjects.
        target: Checked.
        training: Checked, without entry.
        counts: How often each subject of the target and of training counts; (replicate, batch).
        event_weight: Where G is read for an event.

    Returns:
        float64 (replicate, grid); NaN where G is unknown: beyond the training follow-up, or zero.
    """
    device = target.duration.device
    drawn, training_drawn = (count.to(device) for count in counts)
    duration, order = by_duration = ascending_order(target.duration)
    knots, survival = censoring_survival_replicates(
        training, training_drawn, by_duration if training is target else None
    )
    padded = torch.cat([torch.ones_like(survival[:, :1]), survival], dim=1)
    at_event = positions_of(duration, knots, right=event_weight == "at")
    at_time = positions_of(errors.times, knots, right=True)
    weight = drawn.to(torch.float64)
    if target.weight is not None:
        weight = weight * target.weight
    ordered = weight.index_select(1, order)
    event_survival = padded.index_select(1, at_event)
    seen = (ordered > 0) & (event_survival > 0) & errors.happened.index_select(0, order)
    inverse = ratio_where(seen, ordered, event_survival)
    time_survival = padded.index_select(1, at_time)
    differentiated = ordered.requires_grad or inverse.requires_grad
    once = len(weight) == 1 and device.type == "cpu" and not differentiated
    sums = errors.weighted_sums_once if once else errors.weighted_sums
    risk_sum, event_sum = sums(order, ordered, inverse)
    last = torch.where(training_drawn > 0, training.duration, -torch.inf).amax(dim=1)
    known = (time_survival > 0) & (errors.times <= last[:, None])
    total = event_sum + ratio_where(known, risk_sum, time_survival)
    return torch.where(known, total / weight.sum(dim=1, keepdim=True), torch.nan)
