"""The label of weights that were trained on phantoms, to be seen wherever such a model is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from survkit.hub.description import ModelDescription

LABEL = "demonstration"
"""Key among the facts of the training. It holds ``cohort`` ("phantoms"), ``seed``, ``subjects`` and
the ``command`` that makes the same weights."""

NOTE = (
    "these are demonstration weights, trained on synthetic phantoms: they are of no use for "
    "patients, and what they predict for anybody means nothing"
)


def labelled(description: ModelDescription, label: Mapping[str, Any]) -> ModelDescription:
    """Return the description of a model that is a demonstration."""
    return replace(description, training={**description.training, LABEL: dict(label)})


def demonstration_note(description: ModelDescription) -> str | None:
    """Return what must be said before such a model predicts; ``None`` of any other model."""
    return NOTE if LABEL in description.training else None
