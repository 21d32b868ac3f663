"""A wider point spread function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import log, sqrt
from typing import Any, ClassVar, Literal

import scipy.ndimage
import torch

from survkit.corruptions.intensity import check_severity
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputKind

ndimage: Any = scipy.ndimage  # its functions are made at run time, without types

FWHM_PER_SIGMA = 2 * sqrt(2 * log(2))
MEAN_ALONE = 4
"""Standard deviation, in lengths of an axis, beyond which nothing but its mean is left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blur:
    """Convolves with a Gaussian point spread function: a larger detector or focal spot, a smoother
    reconstruction kernel.

    The image is mirrored at its edges, so its sum is kept.

    Args:
        fwhm: Full width of the function at half its maximum; the same along all axes.
        unit: Whether the width is in voxels or in mm; mm need images that know their spacing.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"fwhm": 1.0},
        "medium": {"fwhm": 2.0},
        "high": {"fwhm": 4.0},
    }
    stochastic: ClassVar[bool] = False

    fwhm: float = 2.0
    unit: Literal["voxel", "mm"] = "voxel"

    def __post_init__(self) -> None:
        check_severity("fwhm", self.fwhm, 0, 1000, "of any image the mean is left then")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Blur every channel.

        Raises:
            DataError: The width is in mm, but the voxel size is not known.
        """
        if self.fwhm == 0:
            return sample
        axes = sample.values.ndim - 1
        size: tuple[float, ...] = (1.0,) * axes
        if self.unit == "mm":
            if sample.spacing is None:
                raise DataError(
                    f"{sample.source}: a blur in mm needs the voxel size, which this image does "
                    "not state; give the width in voxels"
                )
            size = sample.spacing
        sigmas = (self.fwhm / FWHM_PER_SIGMA / length for length in size)
        # The slowest frequency of a mirrored axis is then damped by exp(-79); wider costs more.
        most = (MEAN_ALONE * length for length in sample.values.shape[1:])
        widths = [0.0, *map(min, sigmas, most)]
        blurred = ndimage.gaussian_filter(
            sample.values.numpy(), widths, mode="reflect", truncate=5.0
        )
        return replace(sample, values=torch.from_numpy(blurred))
