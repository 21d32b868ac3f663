"""Errors of measured numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.corruptions.intensity import check_severity
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnNoise:
    """Multiplies every number by ``1 + N(0, variation^2)``: an assay with that coefficient of
    variation, another laboratory.

    Categories of a table stay as they are, and so do missing cells. In an embedding every entry is
    a number.

    Args:
        variation: Coefficient of variation.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("table", "vector")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"variation": 0.05},
        "medium": {"variation": 0.1},
        "high": {"variation": 0.3},
    }
    stochastic: ClassVar[bool] = True

    variation: float = 0.1

    def __post_init__(self) -> None:
        check_severity("variation", self.variation, 0, 100, "beyond it there is only noise")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Measure anew."""
        if self.variation == 0:
            return sample
        values = sample.values
        factor = 1 + self.variation * torch.randn(
            values.shape, generator=generator, dtype=values.dtype
        )
        numeric = torch.tensor([column.levels is None for column in sample.columns])
        if len(numeric):
            factor = torch.where(numeric, factor, torch.ones_like(factor))
        return replace(sample, values=values * factor)
