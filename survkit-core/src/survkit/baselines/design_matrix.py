"""The matrix of numbers that a baseline sees; everything in it comes from the training subjects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from survkit.baselines.protocol import Bools, Floats
from survkit.data import Cohort, read_modality
from survkit.encoders.vector import VectorScaling
from survkit.errors import DataError
from survkit.recipe import InputConfig
from survkit.specs import InputSpec

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """One modality and what was learnt about it.

    Attributes:
        name: The modality.
        spec: Its columns with the levels of the training subjects.
        projection: Onto principal components of the training embeddings, where asked for.
    """

    name: str
    spec: InputSpec
    projection: VectorScaling | None

    @property
    def columns(self) -> list[str]:
        """Names of the raw columns."""
        if self.spec.kind == "vector":
            width = self.spec.shape[0] if self.projection is None else self.projection.features
            kind = "entry" if self.projection is None else "component"
            return [f"{self.name}: {kind} {place + 1}" for place in range(width)]
        return [
            f"{self.name}: {column.name}" + ("" if level is None else f" = {level}")
            for column in self.spec.columns
            for level in ((None,) if column.levels is None else column.levels)
        ]

    def read(self, cohort: Cohort, rows: Rows) -> Floats:
        """Return the raw columns (subject, column), NaN where missing."""
        given = read_modality(cohort, self.name, rows, self.spec)
        present = given.present.numpy()
        if self.projection is not None:
            values = self.projection(given.values.double()).numpy()
        else:
            values = given.values.double().numpy()
        values = np.where(present[:, None], values, np.nan)
        if self.spec.kind == "vector":
            return values
        return np.concatenate([*self._columns(values)], axis=1)

    def _columns(self, values: Floats) -> list[Floats]:
        """Turn level indices into a 0/1 column per level; all 0 for a level unseen in training."""
        found = []
        for place, column in enumerate(self.spec.columns):
            one = values[:, place : place + 1]
            if column.levels is not None:
                seen = np.arange(len(column.levels))
                one = np.where(np.isnan(one), np.nan, (one == seen).astype(np.float64))
            found.append(one)
        return found


@dataclass(frozen=True, slots=True)
class DesignMatrix:
    """Raw columns and what the training subjects say about them.

    A missing value becomes the training median of its column, and a 0/1 column says so (one for
    columns that are always missing together). Every column is then standardised by its training
    mean and SD; principal components keep their sizes relative to the first, which has SD 1, so
    that a penalty shrinks the minor ones most. What does not vary among training subjects carries
    nothing that could be weighed and is left out.

    Attributes:
        blocks: The modalities.
        median: Of each raw column; float64 (raw).
        indicators: Raw columns whose being missing is a column of its own; int64.
        kept: Which of raw columns and indicators vary; bool.
        center: Of the columns kept.
        scale: Of the columns kept.
    """

    blocks: tuple[Block, ...]
    median: Floats
    indicators: Rows
    kept: Bools
    center: Floats
    scale: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        raw = [name for block in self.blocks for name in block.columns]
        every = [*raw, *(f"{raw[place]} is missing" for place in self.indicators)]
        return tuple(name for name, kept in zip(every, self.kept, strict=True) if kept)

    def features(self, cohort: Cohort, rows: Rows) -> Floats:
        """Return the columns of any subjects; float64 (subject, column), nothing missing."""
        raw = np.concatenate([block.read(cohort, rows) for block in self.blocks], axis=1)
        return (_filled(raw, self.median, self.indicators)[:, self.kept] - self.center) / self.scale


def fit_design(cohort: Cohort, inputs: Sequence[InputConfig], rows: Rows) -> DesignMatrix:
    """Learn levels, components, medians, indicators and scales from the given training subjects.

    Raises:
        DataError: No column varies among them.
    """
    blocks = tuple(_fit_block(cohort, item, rows) for item in inputs)
    raw = np.concatenate([block.read(cohort, rows) for block in blocks], axis=1)
    absent = np.isnan(raw)
    median = np.zeros(raw.shape[1])  # of a column that no training subject has
    some = ~absent.all(axis=0)
    median[some] = np.nanmedian(raw[:, some], axis=0)
    projected = np.concatenate([np.full(len(b.columns), b.projection is not None) for b in blocks])
    median[projected] = 0.0
    patterns, first = np.unique(absent, axis=1, return_index=True)
    indicators = np.sort(first[patterns.any(axis=0) & ~patterns.all(axis=0)])
    filled = _filled(raw, median, indicators)
    center, spread = filled.mean(axis=0), filled.std(axis=0)
    kept = spread > 8 * np.finfo(np.float64).eps * np.abs(filled).max(axis=0)
    if not kept.any():
        raise DataError(
            f"{cohort.source}: none of the {filled.shape[1]} columns of "
            f"{', '.join(item.modality for item in inputs)} varies among the {len(rows)} training "
            "subjects; name other inputs"
        )
    own_size = np.concatenate([projected, np.zeros(len(indicators), dtype=bool)])
    spread[own_size], center[own_size] = 1.0, 0.0
    return DesignMatrix(blocks, median, indicators, kept, center[kept], spread[kept])


def _fit_block(cohort: Cohort, item: InputConfig, rows: Rows) -> Block:
    spec = cohort.input_spec(item.modality, rows)
    if item.components is None:
        return Block(item.modality, spec, None)
    given = read_modality(cohort, item.modality, rows, spec)
    projection = VectorScaling(spec.shape[0], standardise=True, components=item.components).double()
    with torch.no_grad():
        projection.fit(given.values[given.present])
    return Block(item.modality, spec, projection)


def _filled(raw: Floats, median: Floats, indicators: Rows) -> Floats:
    """Return the raw columns without missing values, and the indicators beside them."""
    absent = np.isnan(raw)
    flags = absent[:, indicators].astype(np.float64)
    return np.concatenate([np.where(absent, median, raw), flags], axis=1)
