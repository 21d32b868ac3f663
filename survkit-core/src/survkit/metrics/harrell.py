"""Harrell's concordance."""

from __future__ import annotations

from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Result
from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pair_statistic import PairStatistic, ScoreBlocks, event_blocks
from survkit.metrics.pairs import (
    Competing,
    Outcome,
    Suffixes,
    comparable_block,
    outcome_of,
    pair_weight,
    places_of,
    risk_orders,
    suffix_weights,
)
from survkit.metrics.rank_counts import suffix_rank_counts
from survkit.nonparametric.observations import check_vector

MATRIX_SUBJECTS = 800
"""Up to this many subjects one boolean matrix is faster than counting by ranks."""


def harrell_concordance(
    risk_score: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tau: float | None = None,
    tied_tolerance: float = 0.0,
    competing: Competing = "censored",
) -> Result:
    """Share of comparable pairs in which who fails first has the higher risk; 0.5 is chance, 1 is
    perfect.

    A pair is comparable where the earlier duration is an event; at tied durations an event comes
    before a censoring, and two events are not comparable. Tied risk scores count one half. Delayed
    entry, weights (a pair weighs the product) and strata (pairs within one only) are honoured.

    Args:
        risk_score: Higher means an earlier event; (batch).
        target: What was observed.
        cause: The cause asked about.
        tau: Only pairs whose event happens by then; all where it is ``None``.
        tied_tolerance: Scores at most this far apart are tied. scikit-survival's default is 1e-8.
        competing: ``"censored"`` or ``"at-risk"``, see :data:`survkit.metrics.pairs.Competing`.

    Returns:
        An Estimate, or Undefined without an event or without a comparable pair.

    Raises:
        DataError: An argument has the wrong type, shape or value; a matrix of curves is no risk
            score.

    Reference: Harrell and others (1996); competing risks: Wolbers and others (2014).

    >>> target = SurvivalTarget(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1, 1, 0]))
    >>> harrell_concordance(torch.tensor([0.9, 0.1, 0.4]), target).value
    0.6666666666666666
    """
    return harrell_statistic(
        risk_score,
        target,
        cause=cause,
        tau=tau,
        tied_tolerance=tied_tolerance,
        competing=competing,
    ).estimate()


def harrell_statistic(
    risk_score: Tensor,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tau: float | None = None,
    tied_tolerance: float = 0.0,
    competing: Competing = "censored",
) -> PairStatistic:
    """Return :func:`harrell_concordance` as a statistic that can be resampled."""
    outcome = outcome_of(target, cause=cause, tau=tau, competing=competing)
    score = check_vector("risk_score", risk_score, outcome.n)
    if not 0 <= tied_tolerance < float("inf"):
        raise DataError(f"tied_tolerance must be a number >= 0, not {tied_tolerance}")

    def blocks() -> ScoreBlocks:
        for anchors in event_blocks(outcome.anchor.nonzero()[:, 0], outcome.n):
            yield anchors, score[:, None], score[anchors]

    return PairStatistic(
        outcome=outcome,
        count=lambda: harrell_counts(score, outcome, tied_tolerance),
        blocks=blocks,
        tie_score=0.5,
        tolerance=tied_tolerance,
        method=describe("Harrell concordance", cause, tau, competing),
    )


def describe(name: str, cause: int, tau: float | None, competing: Competing) -> str:
    """Say in words what a concordance was asked."""
    until = "" if tau is None else f", events by {tau:g}"
    return f"{name}, cause {cause}{until}, competing events {competing}"


def harrell_counts(score: Tensor, outcome: Outcome, tolerance: float) -> PairCounts:
    """Count pairs: by one boolean matrix for few subjects, by ranks for many."""
    if outcome.n <= MATRIX_SUBJECTS:
        return _matrix_counts(score, outcome, tolerance)
    counts = PairCounts()
    for order in risk_orders(outcome):
        counts += _suffix_counts(score, outcome, order.anchors, order.later, tolerance)
        if order.entering is not None:
            counts -= _suffix_counts(score, outcome, order.anchors, order.entering, tolerance)
    return counts


def _matrix_counts(score: Tensor, outcome: Outcome, tolerance: float) -> PairCounts:
    anchors = outcome.anchor.nonzero()[:, 0]
    comparable = comparable_block(outcome, anchors)
    difference = score[anchors] - score[:, None]
    tied = difference.abs() <= tolerance
    concordant = (difference > 0) & ~tied & comparable
    tied &= comparable
    return PairCounts(
        *(pair_weight(pairs, anchors, outcome.weight) for pairs in (concordant, tied, comparable))
    )


def _suffix_counts(
    score: Tensor, outcome: Outcome, anchors: Tensor, suffixes: Suffixes, tolerance: float
) -> PairCounts:
    weight = outcome.weight
    smaller, tied = suffix_rank_counts(
        score.index_select(0, suffixes.order),
        suffixes.start,
        places_of(anchors, suffixes, outcome.n),
        None if weight is None else weight[suffixes.order],
        tolerance=tolerance,
    )
    own = 1 if weight is None else weight[anchors]
    partners = suffix_weights(weight, suffixes)
    return PairCounts(
        float((own * smaller).sum()), float((own * tied).sum()), float((own * partners).sum())
    )
