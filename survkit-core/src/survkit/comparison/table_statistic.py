"""A metric of a predictions table as a statistic that can be resampled by subject."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from survkit.comparison.comparable_metrics import COMPARABLE, metric_name
from survkit.evaluation.part import Part
from survkit.evaluation.predictions import Integers, Predictions
from survkit.evaluation.summarise import summarise
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Result, Undefined


@dataclass(frozen=True, eq=False, kw_only=True)
class TableStatistic:
    """One metric of one model; the value is that of :func:`survkit.evaluation.evaluate`.

    Attributes:
        table: Out-of-fold predictions.
        key: The metric.
        cause: Event code, 1..K.
        training: Training subjects of a table of one fold.
    """

    table: Predictions
    key: str
    cause: int
    training: SurvivalTarget | None = None

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of subjects; all rows of a subject are resampled together."""
        return (self.table.subjects,)

    @cached_property
    def position(self) -> Integers:
        """Position of each row's subject among the sorted subjects; int64 (row)."""
        return np.unique(self.table.subject, return_inverse=True)[1].astype(np.int64)

    def estimate(self) -> Result:
        """Return the mean over repeats."""
        return self._value(self._repeats())

    def by_repeat(self) -> list[Result]:
        """Return the value of each repeat."""
        return [self._value([part]) for part in self._repeats()]

    def by_fold(self) -> list[Result]:
        """Return the value of each fold of each repeat."""
        return [self._value([fold]) for part in self._repeats() for fold in part.folds()]

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the metric for each row of draw counts; float64 (replicate), NaN if undefined.

        Args:
            counts: How often each subject was drawn, in sorted order; int64 (replicate, subject).
        """
        drawn = counts[0].to(torch.float64)[:, torch.from_numpy(self.position)]
        drawn = torch.cat([torch.ones_like(drawn[:1]), drawn])  # row 0 is the sample itself
        found = []
        for part in self._repeats(drawn):
            values = COMPARABLE[self.key].statistic(part)
            if isinstance(values, Undefined):
                return drawn.new_full((len(drawn) - 1,), torch.nan)
            found.append(values[1:])
        return torch.stack(found).mean(dim=0)

    def _repeats(self, counts: Tensor | None = None) -> list[Part]:
        if counts is None:
            counts = torch.ones(1, len(self.table), dtype=torch.float64)
        return [
            Part(
                predictions=self.table,
                rows=np.flatnonzero(self.table.repeat == repeat),
                counts=counts,
                cause=self.cause,
                training=self.training,
            )
            for repeat in self.table.repeats
        ]

    def _value(self, parts: list[Part]) -> Result:
        label = metric_name(self.key).label
        return summarise(COMPARABLE[self.key].statistic, parts, level=0.95, method=label)
