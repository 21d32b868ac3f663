"""Some rows of a predictions table with many resamples of them: what a pooled metric is made
of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.evaluation.predictions import Floats, Predictions
from survkit.flow import SurvivalTarget
from survkit.metrics.estimate import Undefined

Found = TypeVar("Found")

Training = SurvivalTarget | Mapping[int, SurvivalTarget]
"""Training subjects that a table does not hold: of every model, or by number of the repeat."""

NO_PROBABILITIES = "the table has risk scores but no predicted probabilities"
NO_TRAINING = (
    "the table has one fold, so it does not hold the training subjects from whom the censoring is "
    "estimated; give them as training= (--training FILE)"
)


@dataclass(frozen=True, eq=False, kw_only=True)
class Part:
    """Rows of one repeat that are scored together.

    Attributes:
        predictions: The whole table, in which the training subjects of a fold are looked up.
        rows: Positions of the scored rows in the table, all of one repeat; (batch).
        counts: How often each resample drew each subject, row 0 the sample itself, as
            :mod:`survkit.evaluation.resampling` gives them; float64 (replicate, row of the whole
            table).
        cause: Event code, 1..K.
        training: Training subjects of repeats that have one fold and so do not hold them.
    """

    predictions: Predictions
    rows: NDArray[np.intp]
    counts: Tensor
    cause: int
    training: Training | None = None
    _known: dict[str, Any] = field(default_factory=dict, init=False, repr=False)
    _family: dict[bytes, Part] = field(default_factory=dict, init=False, repr=False)

    @property
    def target(self) -> SurvivalTarget:
        """What was observed in the scored rows."""
        return self.predictions.target(self.rows)

    @property
    def drawn(self) -> Tensor:
        """Draws of the scored rows; (replicate, batch)."""
        return self.once("drawn", lambda: self.counts[:, torch.from_numpy(self.rows)])

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

    def of(self, rows: NDArray[np.intp]) -> Part:
        """Return the part with other rows and the same resamples, the same object for the same
        rows: what it knows is computed once, whoever asks.
        """
        key = rows.tobytes()
        if key not in self._family:
            other = replace(self, rows=rows)
            object.__setattr__(other, "_family", self._family)
            self._family[key] = other
        return self._family[key]

    def forget(self) -> None:
        """Drop all that this part and its family know; they refer to one another, so that it would
        stay in memory until the garbage collector comes by.
        """
        for one in (self, *self._family.values()):
            one._known.clear()
        self._family.clear()

    def once(self, name: str, compute: Callable[[], Found]) -> Found:
        """Return what several metrics of this part share, computed when it is first asked for."""
        if name not in self._known:
            self._known[name] = compute()
        found: Found = self._known[name]
        return found

    def incidence_at(self, times: Floats) -> Tensor | None:
        """Predicted incidence of the cause at times; float64 (batch, time), ``None`` without."""
        table = self.predictions
        if table.cumulative_incidence is None:
            return None
        at = table.select(self.rows).incidence_at(times)[:, self.cause - 1]
        return torch.from_numpy(np.ascontiguousarray(at))

    def folds(self) -> Iterator[Part]:
        """Split the rows by the fold that held them out."""
        fold = self.predictions.fold[self.rows]
        for number in np.unique(fold):
            yield self.of(self.rows[fold == number])

    def training_rows(self) -> NDArray[np.intp]:
        """Rows whose subjects trained the model of these rows: the other folds of the repeat.

        To be asked of the rows of one fold.
        """
        table = self.predictions
        same_repeat = table.repeat == table.repeat[self.rows[0]]
        return np.flatnonzero(same_repeat & (table.fold != table.fold[self.rows[0]]))

    def trained_on(self) -> tuple[SurvivalTarget, Tensor] | Undefined:
        """Training subjects of the model of these rows and how often each was drawn.

        To be asked of the rows of one fold. Subjects that the table does not hold are taken as
        given: every resample has them all once.
        """
        rows = self.training_rows()
        if len(rows):
            return self.predictions.target(rows), self.counts[:, torch.from_numpy(rows)]
        given = self.training
        if isinstance(given, Mapping):
            given = given.get(int(self.predictions.repeat[self.rows[0]]))
        if given is None:
            return self.undefined(NO_TRAINING)
        return given, self.counts.new_ones(len(self.counts), len(given.duration))

    def undefined(self, reason: str) -> Undefined:
        """Say why a metric of these rows has no value."""
        return Undefined(reason, self.n, self.events)


Statistic = Callable[[Part], Tensor | Undefined]
"""Value (row 0) and replicates of a part, (replicate) or (replicate, point); NaN where a replicate
has no value."""
