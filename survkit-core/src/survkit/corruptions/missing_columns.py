"""Cells that nobody filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.errors import ConfigError
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingColumns:
    """Empties each cell of a table's row with the same probability: missing completely at random.

    What the model makes of an empty cell is the encoder's own rule, learnt from training subjects.

    Args:
        rate: Probability that a cell is emptied; 1 empties all.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("table",)
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"rate": 0.1},
        "medium": {"rate": 0.3},
        "high": {"rate": 0.5},
    }
    stochastic: ClassVar[bool] = True

    rate: float = 0.3

    def __post_init__(self) -> None:
        if not 0 <= self.rate <= 1:
            raise ConfigError(f"rate must be a probability from 0 to 1, not {self.rate}")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Empty cells."""
        if self.rate == 0:
            return sample
        gone = torch.rand(sample.values.shape, generator=generator) < self.rate
        return replace(sample, values=sample.values.masked_fill(gone, float("nan")))
