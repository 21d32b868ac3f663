"""Predictions from some of the modalities alone: what each is worth to a model trained with all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import torch

from survkit.errors import UserError
from survkit.flow import Encoding, select

if TYPE_CHECKING:
    from survkit.stress.predict_fold import FoldOutcome

MOST_MODALITIES = 6
"""Of more there are too many subsets to read."""


def modality_subsets(modalities: Sequence[str]) -> dict[str, frozenset[str]]:
    """Return all 2^m - 1 subsets by key, ``only.ct+pet``, the largest first; none for one modality
    or too many.
    """
    names = sorted(modalities)
    if not 2 <= len(names) <= MOST_MODALITIES:
        return {}
    sizes = range(len(names), 0, -1)
    return {
        "only." + "+".join(chosen): frozenset(chosen)
        for size in sizes
        for chosen in combinations(names, size)
    }


def predict_subsets(
    decide: Callable[[str, Mapping[str, Encoding]], None],
    subsets: Mapping[str, frozenset[str]],
    encodings: Mapping[str, Encoding],
    start: int,
    outcome: FoldOutcome,
) -> None:
    """Predict a batch from each subset, for the subjects who have some modality of it.

    Args:
        decide: Keeps what the model says to encodings, under a key.
        subsets: Names of the encoders that are left, by key.
        encodings: Of the whole batch.
        start: Place of the batch's first subject in the fold.
        outcome: Told who was predicted, and why a subset could not be.
    """
    for key, names in subsets.items():
        if key in outcome.failed:
            continue
        usable = torch.stack([encodings[name].present for name in sorted(names)]).any(dim=0)
        rows = usable.nonzero().flatten()
        if not len(rows):
            continue
        left = {
            name: encoding
            if name in names
            else replace(encoding, present=torch.zeros_like(encoding.present))
            for name, encoding in encodings.items()
        }
        try:
            decide(key, {name: select(encoding, rows) for name, encoding in left.items()})
        except UserError as error:
            outcome.failed[key] = str(error)
            continue
        outcome.rows[key] += [start + int(row) for row in rows.cpu()]
