"""The bootstrap as counts: row 0 is the sample itself, every further row a resample.

A statistic that is computed for all rows at once is its value and its bootstrap distribution, by
one and the same code. Resampled is the subject, the whole group or the whole site: its rows in all
repeats, its part in training folds' censoring models and its part in test folds go together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.errors import DataError
from survkit.evaluation.predictions import Integers, Predictions
from survkit.evaluation.settings import Cluster

CHUNK_CELLS = 2**20
"""Most cells of a (replicate, row) matrix that is held at once."""

FEW_SITES = 10
"""With fewer clusters their variation is hardly known (Cameron, Gelbach and Miller 2008)."""


@dataclass(frozen=True, eq=False)
class Units:
    """What is drawn as a whole.

    Attributes:
        kind: Subjects, groups or sites.
        position: Number of the unit of each row of the table; int64 (row).
        size: How many units there are.
    """

    kind: Cluster
    position: Integers
    size: int

    def among(self, rows: NDArray[np.intp]) -> int:
        """Return how many units these rows belong to."""
        return len(np.unique(self.position[rows]))

    def told(self, count: int) -> str:
        """Say what so many of them are, and whether these are too few."""
        if self.kind == "subject":
            return "subjects"
        few = f" (fewer than {FEW_SITES}, so the interval is rough)" if count < FEW_SITES else ""
        return f"{count} {self.kind}s{few}"


def units_of(predictions: Predictions, kind: Cluster) -> Units:
    """Return what is drawn as a whole.

    Raises:
        DataError: Sites or groups are asked for and there are not two.
    """
    names = getattr(predictions, kind)
    there = 0 if names is None else len(np.unique(names))
    if names is None or (kind != "subject" and there < 2):
        raise DataError(
            f"intervals over {kind}s need a column {kind} with two {kind}s at least, not "
            f"{there}; take subjects instead"
        )
    different, position = np.unique(names, return_inverse=True)
    return Units(kind, position.astype(np.int64), len(different))


def draws(units: Units, *, replicates: int, seed: int) -> Iterator[Tensor]:
    """Yield how often each resample drew the unit of each row, in chunks of bounded memory.

    As many units are drawn as there are, with replacement. The resamples do not depend on how
    they are cut into chunks.

    Returns:
        float64 (1 + chunk, row) each; row 0 holds ones.
    """
    generator = np.random.default_rng(seed)
    chunk = max(1, CHUNK_CELLS // len(units.position))
    shares = np.full(units.size, 1 / units.size)
    for begin in range(0, replicates, chunk):
        size = min(chunk, replicates - begin)
        counts = np.ones((1 + size, units.size))
        counts[1:] = generator.multinomial(units.size, shares, size=size)
        yield torch.from_numpy(counts[:, units.position])


def the_sample(units: Units) -> Tensor:
    """Return the counts of the sample itself: ones, float64 (1, row)."""
    return torch.ones(1, len(units.position), dtype=torch.float64)


def all_draws(units: Units, *, replicates: int, seed: int) -> Tensor:
    """Return the sample and all resamples of :func:`draws` at once, for tables that are small.

    Returns:
        float64 (1 + replicates, row); row 0 holds ones.
    """
    resamples = [chunk[1:] for chunk in draws(units, replicates=replicates, seed=seed)]
    return torch.cat([the_sample(units), *resamples])
