"""The label of weights that were trained on phantoms, to be seen wherever such a model is used."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from survkit.hub.description import ModelDescription

log = logging.getLogger("survkit.hub")

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


def warn_of_demonstration(model: object, description: ModelDescription) -> None:
    """Say in the log that such a model is of no use for patients; nothing of any other model.

    Args:
        model: How the caller knows it.
        description: Of the model.
    """
    if LABEL in description.training:
        log.warning("%s: %s", model, NOTE)
