"""Attention in one subject's mask beside what equal weights would put there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from survkit.report.attention_profile import REPLICATES, unit_drawn


class MaskPair(NamedTuple):
    """What was found of a subject.

    Attributes:
        weight: Attention in the mask, or on the tokens that it touches; in [0, 1].
        share: Of the picture, or of the tokens, that these are; in [0, 1].
        group: What the subject belongs to, such as a patient; ``None`` where the cohort has none.
    """

    weight: float
    share: float
    group: str | None


def groups_of(pairs: Sequence[MaskPair]) -> list[str] | None:
    """Return what each subject belongs to; ``None`` where the cohort has no groups."""
    known = [pair.group for pair in pairs if pair.group is not None]
    return known if len(known) == len(pairs) else None


def bootstrap_of(pairs: Sequence[MaskPair]) -> str:
    """Say how intervals of the pairs are made."""
    return f"bootstrap, {REPLICATES} replicates by {unit_drawn(groups_of(pairs))}"
