"""Additive noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.corruptions.intensity import check_severity, intensity_range
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class GaussianNoise:
    """Adds white Gaussian noise, independent in every voxel: electronic noise, or the sum of many
    small errors.

    ``x + N(0, (sigma * range)^2)``, range being the width of the declared intensities (2 for a
    window) or of the sample's own. Values may leave the range; nothing is clipped.

    Args:
        sigma: Standard deviation as a share of the range.

    Reference: the noise on CT of Farooq et al. (2025, arXiv 2505.02529), with 0.01, 0.05 and 0.1.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"sigma": 0.01},
        "medium": {"sigma": 0.05},
        "high": {"sigma": 0.1},
    }
    stochastic: ClassVar[bool] = True

    sigma: float = 0.1

    def __post_init__(self) -> None:
        check_severity("sigma", self.sigma, 0, 100, "beyond 100 ranges there is only noise")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Add the noise."""
        if self.sigma == 0:
            return sample
        low, high = intensity_range(sample)
        noise = torch.randn(sample.values.shape, generator=generator, dtype=sample.values.dtype)
        return replace(sample, values=sample.values + self.sigma * (high - low) * noise)
