"""A region that another reader would have drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import scipy.ndimage
import torch
from torch import Tensor

from survkit.corruptions.intensity import check_severity
from survkit.errors import DataError
from survkit.protocols import Sample
from survkit.specs import InputKind

ndimage: Any = scipy.ndimage  # its functions are made at run time, without types


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskJitter:
    """Moves the region of interest in a random direction, and erodes it; the image stays.

    The displacement is rounded to whole voxels; what leaves the image is lost. Only encoders whose
    preparation looks at the mask can notice. A crop centred on the mask was made before, by the
    cohort's reader, and is not moved. A subject without a mask stays as it is.

    Args:
        shift: Length of the displacement, in voxels.
        erode: Voxels that the region loses at its surface.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"shift": 1.0},
        "medium": {"shift": 2.0},
        "high": {"shift": 4.0},
    }
    stochastic: ClassVar[bool] = True

    shift: float = 2.0
    erode: int = 0

    def __post_init__(self) -> None:
        for name in ("shift", "erode"):
            check_severity(name, getattr(self, name), 0, 1000, "nothing of the mask is left then")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Draw the region elsewhere.

        Raises:
            DataError: Nothing of the region is left.
        """
        if sample.mask is None or (self.shift == 0 and self.erode == 0):
            return sample
        direction = torch.randn(sample.mask.ndim, generator=generator, dtype=torch.float64)
        steps = (self.shift * direction / direction.norm()).round().long().tolist()
        region = _moved(sample.mask, steps)
        if self.erode:
            eroded = ndimage.binary_erosion(region.numpy(), iterations=self.erode)
            region = torch.from_numpy(eroded)
        if not bool(region.any()):
            raise DataError(
                f"{sample.source}: nothing of the mask is left when it is moved by "
                f"{self.shift:g} voxels and eroded by {self.erode}; give smaller numbers"
            )
        return replace(sample, mask=region)


def _moved(mask: Tensor, steps: list[int]) -> Tensor:
    """Return the mask moved by whole voxels along each axis; what comes in from outside is
    empty.
    """
    result = torch.zeros_like(mask)
    source, target = [], []
    for length, step in zip(mask.shape, steps, strict=True):
        source.append(slice(max(-step, 0), max(length - max(step, 0), 0)))
        target.append(slice(max(step, 0), max(length + min(step, 0), 0)))
    result[tuple(target)] = mask[tuple(source)]
    return result
