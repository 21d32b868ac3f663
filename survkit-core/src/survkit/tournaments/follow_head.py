"""Which losses follow a head, where a tournament varies the head and says nothing about losses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

STANDARD: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "cox": ({"use": "cox"},),
    "deephit": ({"use": "deephit-likelihood"}, {"use": "deephit-ranking", "weight": 0.5}),
    "discrete-hazard": ({"use": "hazard-likelihood"},),
    "cause-hazard": ({"use": "hazard-likelihood"},),
    "mtlr": ({"use": "deephit-likelihood"},),
    "pc-hazard": ({"use": "piecewise-likelihood"},),
    "weibull": ({"use": "weibull"},),
}
"""The likelihood that each head of survkit-core was published with."""

READ_THE_HEAD = (
    "cox",
    "deephit-likelihood",
    "deephit-ranking",
    "hazard-likelihood",
    "piecewise-likelihood",
    "pycox-logistic-hazard",
    "pycox-mtlr",
    "pycox-pc-hazard",
    "pycox-pmf",
    "weibull",
)
"""Losses of survkit-core that read what the head gives; only these are replaced with it."""


def follow_head(
    objective: list[dict[str, Any]], head: str, given: Mapping[str, Any]
) -> list[Any] | None:
    """Return the objective for another head than the one it was written for.

    Penalties and losses of embeddings stay; a loss that reads the head is replaced.

    Args:
        objective: Of the base recipe, as plain data.
        head: The other head.
        given: Objectives by head, which are taken whole.

    Returns:
        The objective, or ``None`` for a head of which nothing is known: what it was stays, and is
        refused while composing if it does not fit.
    """
    if head in given:
        asked = given[head]
        return list(asked) if isinstance(asked, list) else [asked]
    if head not in STANDARD:
        return None
    kept = [term for term in objective if term.get("use") not in READ_THE_HEAD]
    return [*(dict(term) for term in STANDARD[head]), *kept]
