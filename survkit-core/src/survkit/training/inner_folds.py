"""The inner cross-validation of a training part, on which a search or a tournament chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from survkit.data import Cohort, make_splits
from survkit.errors import DataError


@dataclass(frozen=True, slots=True)
class InnerFold:
    """One division of the training subjects, as positions in the cohort.

    Attributes:
        train: Those on whom a candidate is fitted.
        left_out: Those on whom it is scored.
    """

    train: list[int]
    left_out: list[int]


def inner_folds(
    cohort: Cohort,
    train: Sequence[int],
    folds: int,
    seed: int,
    *,
    setting: str = "training.search_folds",
) -> list[InnerFold]:
    """Divide training subjects, stratified on event and duration as the outer folds are.

    Nobody but these subjects is looked at.

    Args:
        cohort: With its outcome.
        train: Positions of the training subjects.
        folds: Number of inner folds.
        seed: Of the recipe.
        setting: What asked for so many folds, for the message.

    Raises:
        DataError: Too few events for so many folds.
    """
    rows = np.asarray(train, dtype=np.int64)
    own = cohort.subset(rows)
    try:
        splits = make_splits(own, folds=folds, seed=seed, validation=0.0)
    except DataError as error:
        raise DataError(
            f"{setting}: {folds} folds of the {len(rows)} training subjects: {error}"
        ) from error
    found = []
    for fold in splits.folds:
        parts = splits.rows(fold, own.subjects)
        found.append(InnerFold(rows[parts.train].tolist(), rows[parts.test].tolist()))
    return found
