"""Concordant and comparable pairs of a part, for every weighting at once.

Bootstrap as matrix products: with P the comparable pairs and W their concordant part, the
replicate of weights w has the concordance (wᵀ W w) / (wᵀ P w).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from survkit.evaluation.part import Part
from survkit.metrics.estimate import Undefined
from survkit.metrics.pairs import comparable_block, outcome_of

_BLOCK = 512
"""Events compared at once: bounds the pair matrix to batch x 512."""

Values = Tensor | Undefined
PairScores = Callable[[Part, Tensor], tuple[Tensor, Tensor]]
"""Of a part and some events in it: the scores of those subjects (event) and of everybody at those
events, (batch, event) or (batch, 1); higher means earlier."""


def harrell_within_folds(part: Part) -> Values:
    """Harrell's concordance of the risk scores: pairs of each fold, summed over folds."""
    return _concordance(part, _risk_scores, within_folds=True)


def harrell_all_pairs(part: Part) -> Values:
    """Harrell's concordance of the risk scores, pairs across folds too."""
    return _concordance(part, _risk_scores, within_folds=False)


def antolini_within_folds(part: Part) -> Values:
    """Antolini's time-dependent concordance: pairs of each fold, summed over folds."""
    return _concordance(part, _incidence_at_events, within_folds=True)


def antolini_all_pairs(part: Part) -> Values:
    """Antolini's time-dependent concordance, pairs across folds too."""
    return _concordance(part, _incidence_at_events, within_folds=False)


def _concordance(part: Part, scores: PairScores, *, within_folds: bool) -> Values:
    """Weighted concordant over weighted comparable pairs; (replicate)."""
    weights = part.scored
    strata = torch.from_numpy(part.predictions.fold[part.rows]) if within_folds else None
    outcome = outcome_of(
        replace(part.target, strata=strata),
        cause=part.cause,
        tau=part.predictions.horizon,
        competing="censored",
    )
    concordant, comparable = weights.new_zeros(2, len(weights))
    for earlier in torch.split(outcome.anchor.nonzero()[:, 0], _BLOCK):
        partners = comparable_block(outcome, earlier).double()
        own, others = scores(part, earlier)
        right = (own > others).double() + 0.5 * (own == others).double()
        of_event = weights[:, earlier]
        comparable = comparable + (of_event * (weights @ partners)).sum(dim=1)
        concordant = concordant + (of_event * (weights @ (partners * right))).sum(dim=1)
    if float(comparable[0]) == 0:
        why = "nobody was still at risk at an event" if outcome.events else "no event"
        return part.undefined(f"no comparable pair: {why} by the horizon")
    ratio: Tensor = concordant / comparable  # NaN in resamples without a comparable pair
    return ratio


def _risk_scores(part: Part, earlier: Tensor) -> tuple[Tensor, Tensor]:
    score = torch.from_numpy(part.predictions.risk_score[part.rows, part.cause - 1])
    return score[earlier], score[:, None]


def _incidence_at_events(part: Part, earlier: Tensor) -> tuple[Tensor, Tensor]:
    table = part.predictions.select(part.rows)
    times = table.duration[earlier.numpy()]
    curves = torch.from_numpy(table.incidence_at(times)[:, part.cause - 1])
    return curves[earlier, torch.arange(len(earlier))], curves
