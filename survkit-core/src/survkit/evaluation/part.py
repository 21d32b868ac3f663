"""Some rows of a predictions table with many resamples of them: what a pooled metric is made
of.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.evaluation.predictions import Predictions
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Undefined


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Rows of one repeat that are scored together.

    Attributes:
        predictions: The whole table, in which the training subjects of a fold are looked up.
        rows: Positions of the scored rows in the table, all of one repeat; (batch).
        counts: How often each resample drew each subject, row 0 the sample itself, as
            :func:`survkit.evaluation.resampling.resample_counts` gives them; float64 (replicate,
            row of the whole table).
        cause: Event code, 1..K.
        training: Training subjects of a table that has one fold and so does not hold them.
    """

    predictions: Predictions
    rows: NDArray[np.intp]
    counts: Tensor
    cause: int
    training: SurvivalTarget | None = None

    @property
    def target(self) -> SurvivalTarget:
        """What was observed in the scored rows."""
        return self.predictions.target(self.rows)

    @property
    def drawn(self) -> Tensor:
        """Draws of the scored rows; (replicate, batch)."""
        return self.counts[:, torch.from_numpy(self.rows)]

    @property
    def scored(self) -> Tensor:
        """Case weights times draws of the scored rows; (replicate, batch)."""
        weight = self.target.weight
        return self.drawn if weight is None else self.drawn * weight

    @property
    def n(self) -> int:
        """Number of scored subjects."""
        return len(self.rows)

    @property
    def events(self) -> int:
        """Events of the cause by the horizon among them."""
        table = self.predictions
        own = table.event[self.rows] == self.cause
        return int((own & (table.duration[self.rows] <= table.horizon)).sum())

    def folds(self) -> Iterator[Part]:
        """Split the rows by the fold that held them out."""
        fold = self.predictions.fold[self.rows]
        for number in np.unique(fold):
            yield replace(self, rows=self.rows[fold == number])

    def training_rows(self) -> NDArray[np.intp]:
        """Rows whose subjects trained the model of these rows: the other folds of the repeat.

        To be asked of the rows of one fold.
        """
        table = self.predictions
        same_repeat = table.repeat == table.repeat[self.rows[0]]
        return np.flatnonzero(same_repeat & (table.fold != table.fold[self.rows[0]]))

    def undefined(self, reason: str) -> Undefined:
        """Say why a metric of these rows has no value."""
        return Undefined(reason, self.n, self.events)
