"""Coarser voxels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch
from torch.nn.functional import adaptive_avg_pool1d, interpolate

from survkit.corruptions.intensity import check_severity
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Downsampling:
    """Acquires the image on a coarser grid and interpolates it back, along every axis.

    An axis of n voxels becomes ``round(n / factor)``, at least one, each the mean of the voxels it
    covers (a detector element integrates over its area), and then n again by linear interpolation
    between voxel centres. What lies between is lost, and does not come back as another frequency.

    Args:
        factor: How many times larger the voxels are; 1 changes nothing.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"factor": 1.5},
        "medium": {"factor": 2.0},
        "high": {"factor": 4.0},
    }
    stochastic: ClassVar[bool] = False

    factor: float = 2.0

    def __post_init__(self) -> None:
        check_severity("factor", self.factor, 1, 1000, "no image has as many voxels to an edge")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Lower the resolution."""
        values = sample.values
        for axis in range(1, values.ndim):
            length = values.shape[axis]
            coarse = max(round(length / self.factor), 1)
            if coarse < length:
                values = _along(values, axis, coarse)
        return sample if values is sample.values else replace(sample, values=values)


def _along(values: torch.Tensor, axis: int, coarse: int) -> torch.Tensor:
    """Average an axis to fewer voxels and interpolate it back."""
    moved = values.movedim(axis, -1)
    lines = moved.reshape(-1, 1, moved.shape[-1])
    averaged = adaptive_avg_pool1d(lines, coarse)
    restored = interpolate(averaged, size=moved.shape[-1], mode="linear", align_corners=False)
    return restored.reshape(moved.shape).movedim(-1, axis).contiguous()
