"""Which tokens a threshold on their importance keeps, and how these agree with the relevant
ones.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from survkit.errors import ConfigError
from survkit.token_threshold import above_threshold


def kept_tokens(importance: Tensor, threshold: float) -> Tensor:
    """Return which tokens are at least ``threshold`` times as important as even attention would
    make them: ``I_s >= threshold / token``. The most important one is always kept.

    Args:
        importance: Summing to one over the last axis, (..., token).
        threshold: The ``c`` of the rule, at least 0; 1 keeps what gets an even share or more.

    Returns:
        Bool, shaped like the importance.
    """
    if not 0 <= threshold < float("inf"):
        raise ConfigError(f"a pruning threshold must be a number from 0 on, not {threshold!r}")
    return above_threshold(importance, threshold)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How kept sets agree with the relevant ones, counted over the tokens of all subjects together.

    Attributes:
        share: Of the tokens that are kept.
        precision: Share of the kept that are relevant.
        recall: Share of the relevant that are kept.
        jaccard: Size of the intersection by that of the union.
    """

    share: float
    precision: float
    recall: float
    jaccard: float


def agreement(kept: Tensor, relevant: Tensor) -> Agreement:
    """Compare what is kept with what is relevant, bool (subject, token) both, with some of
    either.
    """
    both, chosen, wanted = (int(each.sum()) for each in (kept & relevant, kept, relevant))
    return Agreement(
        share=chosen / kept.numel(),
        precision=both / chosen,
        recall=both / wanted,
        jaccard=both / (chosen + wanted - both),
    )
