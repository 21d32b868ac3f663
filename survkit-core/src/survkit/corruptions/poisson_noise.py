"""Counting noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.corruptions.intensity import check_severity, intensity_range
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class PoissonNoise:
    """Draws every voxel anew from as many counts as a shorter or weaker acquisition would have.

    With u the intensity scaled to [0, 1] between the lowest and the highest of the range,
    ``u' = Poisson(counts * u) / counts``: the mean is kept, the variance is ``u / counts``, and
    voxels at the upper end of the range have a relative noise of ``1 / sqrt(counts)``.

    Args:
        counts: Expected counts at the highest intensity; fewer are worse.

    Reference: the noise on PET of Farooq et al. (2025, arXiv 2505.02529), whose counts are not
    stated; 1000, 100 and 20 (3 %, 10 % and 22 % relative noise) are a choice.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"counts": 1000.0},
        "medium": {"counts": 100.0},
        "high": {"counts": 20.0},
    }
    stochastic: ClassVar[bool] = True

    counts: float = 20.0

    def __post_init__(self) -> None:
        check_severity("counts", self.counts, 1e-3, 1e6, "with more counts noise is no longer seen")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Count anew.

        Raises:
            DataError: An intensity lies below the declared range, where no counts can be.
        """
        low, high = intensity_range(sample)
        if high == low:  # nothing to scale: an empty image has no brightest voxel
            return sample
        share = (sample.values - low) / (high - low)
        if bool((share < 0).any()):
            raise DataError(
                f"{sample.source}: counting noise needs intensities of at least {low:g}, the "
                f"lowest of the declared range, but the lowest is {float(sample.values.min()):g}"
            )
        counted = torch.poisson(share * self.counts, generator=generator) / self.counts
        return replace(sample, values=counted * (high - low) + low)
