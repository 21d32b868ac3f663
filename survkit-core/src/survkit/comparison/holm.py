"""Several comparisons at once."""

from __future__ import annotations

from collections.abc import Sequence

from survkit.errors import DataError


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that the chance of any false finding stays below the level.

    The smallest of m is multiplied by m, the next by m - 1, and so on; none becomes smaller than
    one before it, none larger than 1. Holds whatever the dependence between the tests.

    Args:
        p_values: In any order; the result is in the same.

    Raises:
        DataError: One is no probability.

    Reference: Holm (1979).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    for place, value in enumerate(p_values):
        if not 0 <= value <= 1:
            raise DataError(f"p-values lie between 0 and 1, but number {place} is {value}")
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    ascending = sorted(range(len(p_values)), key=lambda place: p_values[place])
    for step, place in enumerate(ascending):
        highest = max(highest, min(1.0, (len(p_values) - step) * p_values[place]))
        adjusted[place] = highest
    return adjusted
