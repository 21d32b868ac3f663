"""A metric on many tables of the same subjects, under the same resamples."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.comparison.comparable_metrics import COMPARABLE, metric_keys, metric_name
from survkit.errors import DataError
from survkit.evaluation import Predictions
from survkit.evaluation.metric_names import MetricName
from survkit.evaluation.observed_groups import first_repeat
from survkit.evaluation.part import Part, Statistic
from survkit.evaluation.resampling import Units, all_draws, units_of
from survkit.evaluation.risk_groups import risk_groups
from survkit.evaluation.summarise import summarise
from survkit.metrics.estimate import Result, Undefined
from survkit.nonparametric.log_rank import LogRank, log_rank

Values = Tensor | Undefined
"""Value (row 0) and bootstrap replicates; NaN where a replicate has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Yardstick:
    """What is measured, and with which resamples: all tables see the same, so that differences
    between them are paired.

    Attributes:
        metric: How it is spoken of.
        statistic: How it is computed.
        cause: Event code, 1..K.
        counts: Draws of every row of the table; (1 + replicates, row).
        level: Coverage of intervals.
        units: What is drawn as a whole.
        seen: Values by content of the table, for mixtures that come again.
    """

    metric: MetricName
    statistic: Statistic
    cause: int
    counts: Tensor
    level: float
    units: Units
    seen: dict[bytes, Values] = field(default_factory=dict)

    @property
    def floor(self) -> float:
        """The value from which performance is counted: chance, where the metric has one."""
        chance = self.metric.chance if self.metric.best == "highest" else None
        return 0.0 if chance is None else chance

    def values(self, table: Predictions, rows: NDArray[np.bool_] | None = None) -> Values:
        """Return the metric of (some rows of) the table, averaged over repeats."""
        asked = np.ones(len(table), dtype=bool) if rows is None else rows
        key = _digest(table, asked)
        if key not in self.seen:
            self.seen[key] = self._computed(table, asked)
        return self.seen[key]

    def _computed(self, table: Predictions, asked: NDArray[np.bool_]) -> Values:
        found = []
        for part in self.parts(table, asked):
            values = self.statistic(part)
            if isinstance(values, Undefined):
                return values
            found.append(values)
        return torch.stack(found).mean(dim=0)

    def parts(self, table: Predictions, rows: NDArray[np.bool_] | None = None) -> list[Part]:
        """Return (some rows of) the table, repeat by repeat, with the resamples."""
        asked = np.ones(len(table), dtype=bool) if rows is None else rows
        return [
            Part(
                predictions=table,
                rows=np.flatnonzero(asked & (table.repeat == repeat)),
                counts=self.counts,
                cause=self.cause,
            )
            for repeat in table.repeats
        ]

    def result(
        self,
        values: Values,
        table: Predictions,
        *,
        method: str,
        rows: NDArray[np.bool_] | None = None,
    ) -> Result:
        """Return values of the table's subjects as an estimate with its interval."""
        if isinstance(values, Undefined):
            return values
        asked = np.ones(len(table), dtype=bool) if rows is None else rows
        parts = self.parts(table, asked)
        whole = f"{method}; mean of {len(parts)} repeats" if len(parts) > 1 else method
        if not bool(values[0].isfinite()):
            return parts[0].undefined("it has no value in the sample itself")
        of = self.units.told(self.units.among(np.flatnonzero(asked)))
        return summarise(lambda _: values, parts[:1], level=self.level, method=whole, of=of)

    def undefined(self, table: Predictions, reason: str) -> Undefined:
        """Say why a number about the table's subjects cannot be computed."""
        return self.parts(table, np.ones(len(table), dtype=bool))[0].undefined(reason)


def yardstick(
    table: Predictions, metric: str, cause: str | None, *, replicates: int, level: float
) -> Yardstick:
    """Return the yardstick for a table.

    Whole groups are drawn where the table has them (the images of one patient), else subjects, as
    :func:`survkit.evaluation.evaluate` does.

    Raises:
        ConfigError: There is no such metric to compare by.
        DataError: There is no such cause, or but one group.
    """
    key = metric_keys(metric)[0]
    if cause is not None and cause not in table.causes:
        raise DataError(f"no cause is named {cause!r}; there are {', '.join(table.causes)}")
    units = units_of(table, "subject" if table.group is None else "group")
    return Yardstick(
        metric=metric_name(key),
        statistic=COMPARABLE[key].statistic,
        cause=1 if cause is None else table.causes.index(cause) + 1,
        counts=all_draws(units, replicates=replicates, seed=0),
        level=level,
        units=units,
    )


def log_rank_of_groups(table: Predictions, cause: int) -> LogRank | Undefined:
    """Test whether the groups of predicted risk differ, in the first repeat."""
    once = first_repeat(table)
    _, group = risk_groups(once, cause=cause)
    try:
        return log_rank(once.target(), torch.from_numpy(group), cause=cause)
    except DataError as error:  # weights have no log-rank variance
        return Undefined(str(error), len(once), int((once.event == cause).sum()))


def log_rank_json(found: Sequence[LogRank | Undefined]) -> dict[str, Any]:
    """Return the median p over seeds with each seed's, or the reason of the first without one."""
    for each in found:
        if isinstance(each, Undefined):
            return each.to_json()
    tests = [each for each in found if isinstance(each, LogRank)]
    values = [each.p_value for each in tests]
    method = f"{tests[0].method}, between groups of predicted risk"
    if len(values) > 1:
        method += f"; median over {len(values)} seeds"
    return {
        "value": float(np.median(values)),
        "seeds": values,
        "method": method,
        "n": tests[0].n,
        "events": tests[0].events,
    }


def _digest(table: Predictions, rows: NDArray[np.bool_]) -> bytes:
    digest = hashlib.sha256(table.risk_score.tobytes())
    digest.update(np.asarray(table.cumulative_incidence).tobytes())
    digest.update(rows.tobytes())
    return digest.digest()
