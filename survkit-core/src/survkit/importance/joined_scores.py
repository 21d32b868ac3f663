"""The folds' predictions as tables of the whole run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from survkit.evaluation import Predictions
from survkit.importance.fold_scores import CLEAN, FoldScores, Key, Scores

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedScores:
    """What all folds' models said.

    Attributes:
        table: The run's out-of-fold predictions.
        rows: Of each fold in it.
        folds: In their order.
        repeats: How often each group was permuted.
    """

    table: Predictions
    rows: Sequence[NDArray[np.intp]]
    folds: Sequence[FoldScores]
    repeats: int

    def clean(self) -> Predictions:
        """Return the run's predictions, made again."""
        return self._table(CLEAN)

    def permuted(self, group: str) -> Iterator[Predictions]:
        """Yield the predictions with the group permuted in every fold, time by time."""
        for number in range(self.repeats):
            yield self._table(("permuted", group, number))

    def ablated(self, group: str) -> Predictions:
        """Return the predictions with the group at its training mean."""
        return self._table(("ablated", group, 0))

    def gradient(self, group: str) -> Floats:
        """Return |gradient x input| of every row of the table."""
        found = np.zeros(len(self.table))
        for rows, fold in zip(self.rows, self.folds, strict=True):
            found[rows] = fold.gradient[group]
        return found

    def reason(self, what: str, group: str) -> str:
        """Say why something could not be done with a group; empty where it could."""
        found = (fold.reasons.get((what, group), "") for fold in self.folds)
        return next((reason for reason in found if reason), "")

    def moved(self, group: str) -> int:
        """Return among how many rows of the table the group was permuted."""
        return sum(fold.moved[group] for fold in self.folds)

    def _table(self, key: Key) -> Predictions:
        """Return the run's table with what the folds said instead."""
        scores: Mapping[int, Scores] = dict(enumerate(fold.scores[key] for fold in self.folds))
        risk = np.empty_like(self.table.risk_score)
        incidence: Any = None
        if scores[0].incidence is not None:
            incidence = np.empty_like(np.asarray(self.table.cumulative_incidence))
        for place, rows in enumerate(self.rows):
            risk[rows] = scores[place].risk
            if incidence is not None:
                incidence[rows] = scores[place].incidence
        return replace(self.table, risk_score=risk, cumulative_incidence=incidence)
