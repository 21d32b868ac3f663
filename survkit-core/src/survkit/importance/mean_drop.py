"""What the concordance loses on average over many permutations, in the sample and in every
resample.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

from survkit.comparison.comparable_metrics import COMPARABLE
from survkit.evaluation import Predictions
from survkit.evaluation.pair_statistics import Concordance, pair_statistic
from survkit.evaluation.part import Part
from survkit.metrics.estimate import Estimate, Undefined
from survkit.metrics.pair_statistic import PairStatistic, mean_replicates
from survkit.stress.yardstick import Yardstick

MOST_CELLS = 2**25
"""Of predictions at event times that are held at once."""


@dataclass(frozen=True, slots=True)
class MeanConcordance:
    """A concordance of many tables of the same subjects.

    Attributes:
        each: Its value on every table; float64 (table).
        replicates: Its mean over the tables in every resample; float64 (replicate).
    """

    each: Tensor
    replicates: Tensor


def mean_concordance(
    gauge: Yardstick, tables: Iterable[Predictions]
) -> MeanConcordance | Undefined:
    """Score tables of the same subjects on the same resamples, averaged over repeats.

    Args:
        gauge: A concordance and the resamples.
        tables: At least one.
    """
    each: list[Tensor] = []
    mean, count = torch.zeros((), dtype=torch.float64), 0
    for chunk in _chunks(gauge, tables):
        found = _scored(gauge, chunk)
        if isinstance(found, Undefined):
            return found
        each.append(found.each)
        count += len(chunk)
        # The running mean of equal values stays exactly what they are.
        share = len(chunk) / count
        mean = found.replicates if len(each) == 1 else mean + (found.replicates - mean) * share
    return MeanConcordance(torch.cat(each), mean)


def _chunks(gauge: Yardstick, tables: Iterable[Predictions]) -> Iterator[list[Predictions]]:
    """Cut the tables so that what is compared fits in memory."""
    waiting = iter(tables)
    size = 1
    while chunk := list(islice(waiting, size)):
        yield chunk
        cells = len(chunk[0])
        if COMPARABLE[gauge.metric.key].kind == "antolini":
            cells *= cells
        size = max(1, MOST_CELLS // cells)


def _scored(gauge: Yardstick, tables: Sequence[Predictions]) -> MeanConcordance | Undefined:
    """Score some tables: repeats of the cross-validation are averaged."""
    values, replicates = [], []
    repeats: Iterator[tuple[Part, ...]] = zip(*map(gauge.parts, tables), strict=True)
    for parts in repeats:
        statistics = []
        for part in parts:
            statistic = _statistic(gauge, part)
            if isinstance(statistic, Undefined):
                return statistic
            statistics.append(statistic)
        found = [statistic.estimate() for statistic in statistics]
        undefined = next((one for one in found if isinstance(one, Undefined)), None)
        if undefined is not None:
            return parts[0].undefined(undefined.reason)
        known = [one.value for one in found if isinstance(one, Estimate)]
        values.append(torch.tensor(known, dtype=torch.float64))
        replicates.append(mean_replicates(statistics, parts[0].drawn[1:]))
    return MeanConcordance(torch.stack(values).mean(dim=0), torch.stack(replicates).mean(dim=0))


def _statistic(gauge: Yardstick, part: Part) -> PairStatistic | Undefined:
    metric = COMPARABLE[gauge.metric.key]
    kind: Concordance = "antolini" if metric.kind == "antolini" else "harrell"
    return pair_statistic(part, kind, within_folds=metric.within_folds)


def drops(clean: MeanConcordance, changed: MeanConcordance) -> tuple[Tensor, Tensor]:
    """Return clean minus changed: on every table, and the mean over them.

    Returns:
        float64 (table), and float64 (1 + replicate) with the sample's mean first. Where no table
        differs from the clean one, both are exactly 0.
    """
    each = clean.each - changed.each
    mean = each[0] + (each - each[0]).mean()  # equal values have exactly their mean
    return each, torch.cat([mean[None], clean.replicates - changed.replicates])
