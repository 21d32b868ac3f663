"""Antolini's time-dependent concordance, C^td, for single and competing causes."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.column_counts import column_pair_weights
from survkit.metrics.estimate import Result
from survkit.metrics.harrell import MATRIX_SUBJECTS, describe
from survkit.metrics.matrix_counts import is_plain, matrix_counts
from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pair_statistic import PairStatistic, ScoreBlocks, event_blocks
from survkit.metrics.pairs import (
    Competing,
    Outcome,
    Suffixes,
    outcome_of,
    risk_orders,
    suffix_weights,
)
from survkit.nonparametric.observations import check_codes


def antolini_concordance(
    incidence: Tensor,
    column: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tie_score: float = 0.5,
    tau: float | None = None,
    competing: Competing = "censored",
) -> Result:
    """Share of comparable pairs in which F(t_i | x_i) > F(t_i | x_j), at the time t_i of the
    earlier event.

    The pairs are those of :func:`survkit.metrics.harrell_concordance`: t_i < t_j, or t_i = t_j
    with j censored. With ``tie_score=0`` this is pycox's ``"antolini"``; its ``"adj_antolini"`` is
    :func:`survkit.metrics.adjusted_antolini_concordance`.

    Args:
        incidence: Predicted cumulative incidence of the cause at some times; (batch, grid).
        column: Which column holds F at each subject's duration; int (batch). Read for events only.
        target: What was observed.
        cause: The cause asked about.
        tie_score: Credit of a pair with equal predictions: 0.5, or 0 as in Antolini's strict
            inequality.
        tau: Only pairs whose event happens by then; all where it is ``None``.
        competing: ``"censored"`` or ``"at-risk"``, see :data:`survkit.metrics.pairs.Competing`.

    Returns:
        An Estimate, or Undefined without an event or without a comparable pair.

    Raises:
        DataError: An argument has the wrong type, shape or value.

    Reference: Antolini, Boracchi and Biganzoli (2005); exact with ties in time and in predictions.
    """
    return antolini_statistic(
        incidence,
        column,
        target,
        cause=cause,
        tie_score=tie_score,
        tau=tau,
        competing=competing,
    ).estimate()


def antolini_statistic(
    incidence: Tensor,
    column: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tie_score: float = 0.5,
    tau: float | None = None,
    competing: Competing = "censored",
) -> PairStatistic:
    """Return :func:`antolini_concordance` as a statistic that can be resampled."""
    outcome = outcome_of(target, cause=cause, tau=tau, competing=competing)
    values = check_incidence(incidence, outcome.n)
    columns = check_columns(column, outcome, values.shape[1])

    def blocks() -> ScoreBlocks:
        for anchors in event_blocks(outcome.anchor.nonzero()[:, 0], outcome.n):
            block = values.index_select(1, columns[anchors])
            place = torch.arange(len(anchors), device=anchors.device)
            yield anchors, block, block[anchors, place]

    return PairStatistic(
        outcome=outcome,
        count=lambda: column_counts(values, columns, outcome),
        blocks=blocks,
        tie_score=check_tie_score(tie_score),
        tolerance=0.0,
        method=describe(f"Antolini concordance, ties {tie_score:g}", cause, tau, competing),
    )


def check_incidence(incidence: Tensor, size: int) -> Tensor:
    """Return a matrix of probabilities (batch, grid) in float32 or float64.

    Pairs only compare, so the precision given is kept; bfloat16 and float16 are widened.

    Raises:
        DataError: Not a tensor, wrong shape, NaN, or outside [0, 1] by more than rounding.
    """
    if not isinstance(incidence, Tensor) or incidence.ndim != 2 or len(incidence) != size:
        found = (
            tuple(incidence.shape) if isinstance(incidence, Tensor) else type(incidence).__name__
        )
        raise DataError(f"incidence must be a (batch={size}, grid) tensor, not {found}")
    if not incidence.is_floating_point() or incidence.shape[1] == 0:
        raise DataError(
            f"incidence must hold floating-point numbers at one time at least, "
            f"not {incidence.dtype} of shape {tuple(incidence.shape)}"
        )
    low, high = (float(bound) for bound in incidence.detach().aminmax())
    rounding = 1e-6
    if not (low >= -rounding and high <= 1 + rounding):  # also refuses NaN
        raise DataError(
            f"incidence must hold probabilities between 0 and 1, not {low:g} to {high:g}"
        )
    return incidence.detach().to(torch.promote_types(incidence.dtype, torch.float32))


def check_columns(column: Tensor, outcome: Outcome, grid: int) -> Tensor:
    """Return the columns as int64 (batch) after refusing any beyond the grid."""
    columns = check_codes("column", column, outcome.n)
    if int(columns.max()) >= grid:
        row = int(columns.argmax())
        raise DataError(
            f"column must point into a grid of {grid} times, but row {row} holds "
            f"{int(columns[row])}"
        )
    return columns


def check_tie_score(tie_score: float) -> float:
    """Return the credit of a tied pair after refusing what is no credit."""
    if tie_score not in (0, 0.5):
        raise DataError(f"tie_score must be 0 or 0.5, not {tie_score}")
    return float(tie_score)


def column_counts(values: Tensor, columns: Tensor, outcome: Outcome) -> PairCounts:
    """Count the pairs of predictions at common columns, by the fastest way."""
    if outcome.n <= MATRIX_SUBJECTS and is_plain(outcome):
        return matrix_counts(values, columns, outcome)
    suffixes = list(signed_suffixes(outcome))
    counts = comparable_counts(outcome, suffixes)
    for anchors, partners, sign in suffixes:
        smaller, tied = column_pair_weights(
            values, columns[anchors], anchors, partners, outcome.weight
        )
        counts += PairCounts(sign * smaller, sign * tied, 0.0)
    return counts


SignedSuffixes = list[tuple[Tensor, Suffixes, int]]
"""Rows of events, their partners, and 1 to add or -1 to take off."""


def signed_suffixes(outcome: Outcome) -> SignedSuffixes:
    """Give the suffixes to count in, and whether to add or to take off."""
    signed: SignedSuffixes = []
    for order in risk_orders(outcome):
        signed.append((order.anchors, order.later, 1))
        if order.entering is not None:
            signed.append((order.anchors, order.entering, -1))
    return signed


def comparable_counts(outcome: Outcome, suffixes: SignedSuffixes) -> PairCounts:
    """Count the comparable pairs alone."""
    total = 0.0
    for anchors, partners, sign in suffixes:
        own = 1 if outcome.weight is None else outcome.weight[anchors]
        total += sign * float((own * suffix_weights(outcome.weight, partners)).sum())
    return PairCounts(0.0, 0.0, total)
