"""What may be said about two models, in words."""

from __future__ import annotations

from survkit.comparison.non_inferiority import NonInferiority
from survkit.comparison.permutation import PermutationTest
from survkit.metrics.estimate import Undefined


def verdict(
    names: tuple[str, str],
    gain: float,
    test: PermutationTest | Undefined,
    p_holm: float | None,
    judged: NonInferiority | Undefined | None,
    *,
    level: float,
) -> str:
    """Say who is better, or that this was not shown; absence of proof is no proof of equality.

    Args:
        names: First and second model.
        gain: How much better the first is.
        test: The permutation test.
        p_holm: Its adjusted p-value.
        judged: Non-inferiority of the first, where it was asked.
        level: One minus the level of the test.
    """
    if isinstance(test, Undefined) or p_holm is None:
        return "not defined"
    words = "no difference shown"
    if p_holm <= 1 - level:
        better, worse = names if gain > 0 else names[::-1]
        words = f"{better} is better than {worse}"
        if gain > 0:  # what is better needs no margin
            return words
    if isinstance(judged, NonInferiority):
        if judged.shown:
            words += f"; {names[0]} is at most {judged.margin:g} worse than {names[1]}"
        else:
            words += f"; {names[0]} may be worse than {names[1]} by {judged.margin:g} or more"
    return words
