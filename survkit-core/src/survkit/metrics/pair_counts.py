"""The three sums that every concordance is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairCounts:
    """Weighted numbers of pairs.

    Attributes:
        concordant: Comparable pairs in which the earlier event has the higher risk.
        tied: Comparable pairs with tied risks.
        comparable: All comparable pairs.
    """

    concordant: float = 0.0
    tied: float = 0.0
    comparable: float = 0.0

    def __add__(self, other: PairCounts) -> PairCounts:
        return PairCounts(
            self.concordant + other.concordant,
            self.tied + other.tied,
            self.comparable + other.comparable,
        )

    def __sub__(self, other: PairCounts) -> PairCounts:
        return PairCounts(
            self.concordant - other.concordant,
            self.tied - other.tied,
            self.comparable - other.comparable,
        )
