"""C^td of a typed prediction, evaluated at the events' own times in blocks of bounded memory."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import SurvivalTarget
from survkit.metrics.antolini import (
    check_incidence,
    check_tie_score,
    comparable_counts,
    signed_suffixes,
)
from survkit.metrics.column_counts import column_pair_weights
from survkit.metrics.estimate import Result
from survkit.metrics.harrell import describe
from survkit.metrics.pair_counts import PairCounts
from survkit.metrics.pair_statistic import BLOCK_CELLS, PairStatistic, ScoreBlocks, event_blocks
from survkit.metrics.pairs import Competing, Outcome, Suffixes, outcome_of
from survkit.prediction import SurvivalPrediction


def antolini_from_prediction(
    prediction: SurvivalPrediction,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tie_score: float = 0.5,
    tau: float | None = None,
    competing: Competing = "censored",
) -> Result:
    """C^td with F evaluated at every event's own time; see
    :func:`survkit.metrics.antolini_concordance`.

    Args:
        prediction: Of the subjects of ``target``, in their order.
        target: What was observed.
        cause: The cause asked about.
        tie_score: Credit of a pair with equal predictions, 0.5 or 0.
        tau: Only pairs whose event happens by then; by default the last time the prediction knows.
        competing: ``"censored"`` or ``"at-risk"``.

    Raises:
        DataError: As above, a cause that is not predicted, or a tau beyond the last time.
    """
    return antolini_prediction_statistic(
        prediction, target, cause=cause, tie_score=tie_score, tau=tau, competing=competing
    ).estimate()


def antolini_prediction_statistic(
    prediction: SurvivalPrediction,
    target: SurvivalTarget,
    *,
    cause: int = 1,
    tie_score: float = 0.5,
    tau: float | None = None,
    competing: Competing = "censored",
) -> PairStatistic:
    """Return :func:`antolini_from_prediction` as a statistic that can be resampled."""
    last = prediction.last_time
    if tau is not None and tau > last:
        raise DataError(f"tau={tau:g} lies beyond {last:g}, the last time the prediction knows")
    until = last if tau is None else tau
    outcome = outcome_of(target, cause=cause, tau=until, competing=competing)
    if cause > prediction.causes:
        raise DataError(f"cause {cause} is not among the {prediction.causes} predicted causes")

    def blocks() -> ScoreBlocks:
        for anchors in event_blocks(outcome.anchor.nonzero()[:, 0], outcome.n):
            block = _incidence(prediction, outcome, outcome.time[anchors], cause)
            place = torch.arange(len(anchors), device=anchors.device)
            yield anchors, block, block[anchors, place]

    return PairStatistic(
        outcome=outcome,
        count=lambda: _counts(prediction, outcome, cause),
        blocks=blocks,
        tie_score=check_tie_score(tie_score),
        tolerance=0.0,
        method=describe(f"Antolini concordance, ties {tie_score:g}", cause, until, competing),
    )


def _counts(prediction: SurvivalPrediction, outcome: Outcome, cause: int) -> PairCounts:
    """Evaluate a block of distinct event times for all its events, then the next."""
    suffixes = signed_suffixes(outcome)
    counts = comparable_counts(outcome, suffixes)
    times = torch.unique(outcome.time[outcome.anchor])
    size = max(1, BLOCK_CELLS // (outcome.n * prediction.causes))
    for block in torch.split(times, size):
        values = _incidence(prediction, outcome, block, cause)
        for anchors, partners, sign in suffixes:
            inside, column = _in_block(outcome.time[anchors], block)
            if not len(inside):
                continue
            smaller, tied = column_pair_weights(
                values,
                column,
                anchors[inside],
                Suffixes(partners.order, partners.start[inside]),
                outcome.weight,
            )
            counts += PairCounts(sign * smaller, sign * tied, 0.0)
    return counts


def _in_block(time: Tensor, block: Tensor) -> tuple[Tensor, Tensor]:
    """Return which events happen in the block of times, and the column of each."""
    inside = ((time >= block[0]) & (time <= block[-1])).nonzero()[:, 0]
    return inside, torch.searchsorted(block, time[inside])


def _incidence(
    prediction: SurvivalPrediction, outcome: Outcome, times: Tensor, cause: int
) -> Tensor:
    values = prediction.cumulative_incidence(times)[:, cause - 1]
    return check_incidence(values, outcome.n).to(outcome.time.device)
