"""Thicker slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.corruptions.intensity import check_severity
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceThickness:
    """Replaces every so many adjacent slices of a volume by their mean: the partial volume effect
    of a thick slice with a rectangular profile.

    The number of slices stays, so each thick slice is repeated; the mean of the volume is kept.
    Slices are counted from the first (caudal) one; the last group may be thinner.

    Args:
        factor: Slices per thick slice; 1 changes nothing.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("volume",)
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"factor": 2},
        "medium": {"factor": 4},
        "high": {"factor": 8},
    }
    stochastic: ClassVar[bool] = False

    factor: int = 4

    def __post_init__(self) -> None:
        check_severity("factor", self.factor, 1, 1000, "no volume has as many slices")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Average over groups of slices."""
        if self.factor == 1:
            return sample
        thick = [
            group.mean(dim=1, keepdim=True).expand_as(group)
            for group in torch.split(sample.values, self.factor, dim=1)
        ]
        return replace(sample, values=torch.cat(thick, dim=1))
