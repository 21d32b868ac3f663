"""Percentile intervals by resampling subjects, all replicates at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.metrics.estimate import Interval, Result, Undefined
from survkit.nonparametric.observations import check_codes

CHUNK_CELLS = 2**22
"""Most cells of any (replicate, subject) matrix that is held at once."""


class Statistic(Protocol):
    """A number that can be computed on the data and on resampled data."""

    @property
    def sizes(self) -> tuple[int, ...]:
        """Sizes of the groups of subjects that are resampled independently of one another."""

    def estimate(self) -> Result:
        """Return the number of the data, without interval."""

    def replicates(self, *counts: Tensor) -> Tensor:
        """Return the number for each row of draw counts, one matrix per group; NaN if undefined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bootstrap:
    """How to resample.

    Attributes:
        replicates: Number of resampled data sets.
        level: Coverage of the percentile interval.
        seed: Same seed, same interval.
        clusters: Draw whole clusters, such as sites: the cluster of each subject of the first
            group, int (batch). Without it, subjects are drawn.
    """

    replicates: int = 1000
    level: float = 0.95
    seed: int = 0
    clusters: Tensor | None = None

    def __post_init__(self) -> None:
        if self.replicates < 2 or not 0 < self.level < 1:
            raise DataError(
                "a bootstrap needs two replicates at least and a level between 0 and 1, "
                f"not replicates={self.replicates}, level={self.level}"
            )


def with_interval(statistic: Statistic, bootstrap: Bootstrap) -> Result:
    """Return the statistic with its percentile interval.

    Replicates in which it is undefined (no comparable pair, say) are left out and their number is
    told in ``method``; if all are, the result is Undefined.

    Raises:
        DataError: The clusters do not fit the subjects.

    Of 1,000 simulated cohorts of 300 subjects, 30 % of them censored, 95 % intervals held the truth
    in 93.8 to 95.1 %, by metric; those of :func:`survkit.metrics.jackknife_interval` in 94.6 to
    96.0 %. ``tests/core/metrics/test_coverage.py`` measures it.

    Reference: Efron and Tibshirani (1993, chapter 13); the matrix form is exact, not an
        approximation.
    """
    estimate = statistic.estimate()
    if isinstance(estimate, Undefined):
        return estimate
    values = bootstrap_replicates(statistic, bootstrap)
    defined = values[~values.isnan()]
    if len(defined) < 2:
        return Undefined(
            f"all but {len(defined)} of {len(values)} bootstrap replicates are undefined",
            estimate.n,
            estimate.events,
        )
    tail = (1 - bootstrap.level) / 2
    bounds = torch.quantile(defined, defined.new_tensor([tail, 1 - tail])).tolist()
    unit = "subject" if bootstrap.clusters is None else "cluster"
    method = f"{estimate.method}; bootstrap, {len(values)} replicates by {unit}"
    if len(defined) < len(values):
        method += f", {len(values) - len(defined)} of them undefined"
    return replace(
        estimate, interval=Interval(bounds[0], bounds[1], bootstrap.level), method=method
    )


def bootstrap_replicates(statistic: Statistic, bootstrap: Bootstrap) -> Tensor:
    """Return the statistic of every replicate; float64 (replicate), NaN where it is undefined.

    Two statistics of the same subjects and the same ``bootstrap`` see the same draws, so that their
    difference is a paired comparison.
    """
    groups = range(len(statistic.sizes))
    generators = [torch.Generator().manual_seed(bootstrap.seed + (g << 32)) for g in groups]
    values = []
    for size in _chunks(bootstrap.replicates, max(statistic.sizes)):
        counts = [
            bootstrap_counts(
                statistic.sizes[group],
                size,
                generators[group],
                bootstrap.clusters if group == 0 else None,
            )
            for group in groups
        ]
        values.append(statistic.replicates(*counts).cpu())
    return torch.cat(values)


def bootstrap_counts(
    n: int, replicates: int, generator: torch.Generator, clusters: Tensor | None = None
) -> Tensor:
    """Draw with replacement and return how often each subject was drawn.

    Args:
        n: Number of subjects.
        replicates: Number of draws.
        generator: Source of randomness, on the CPU.
        clusters: Cluster of each subject; whole clusters are drawn, as many as there are; int
            (batch).

    Returns:
        int64 (replicate, batch).
    """
    if clusters is None:
        return _draw(n, replicates, generator)
    codes = check_codes("clusters", clusters, n).cpu()
    names, member = torch.unique(codes, return_inverse=True)
    return _draw(len(names), replicates, generator)[:, member]


def _draw(n: int, replicates: int, generator: torch.Generator) -> Tensor:
    drawn = torch.randint(n, (replicates, n), generator=generator)
    drawn += torch.arange(replicates)[:, None] * n
    return torch.bincount(drawn.reshape(-1), minlength=replicates * n).view(replicates, n)


def _chunks(replicates: int, subjects: int) -> Iterator[int]:
    size = max(1, CHUNK_CELLS // subjects)
    for begin in range(0, replicates, size):
        yield min(size, replicates - begin)
