"""A coarser grid to work on: means of blocks of voxels, and masks brought back.

Lungs are decimetres wide, so their rough shape is found on voxels of about 2 mm, where noise is
averaged out and a 512 x 512 slice is nine times smaller.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 2.3
"""Largest edge in mm of a voxel that is still merged with its neighbours."""
FLOOR, CEILING = -1024.0, 200.0
"""HU beyond which a value says nothing more here: padding (-2000, -3024), metal and bone."""


@dataclass(frozen=True, slots=True)
class WorkingGrid:
    """Blocks of voxels.

    Attributes:
        shape: Of the volume (z, y, x).
        block: Voxels per block along each axis.
        spacing: Edges of a block in mm.
    """

    shape: tuple[int, ...]
    block: tuple[int, ...]
    spacing: tuple[float, ...]

    @classmethod
    def of(cls, shape: tuple[int, ...], spacing: tuple[float, ...]) -> WorkingGrid:
        """Merge as many voxels along each axis as stay within the width."""
        block = tuple(max(1, int(WIDTH / edge)) for edge in spacing)
        return cls(shape, block, tuple(b * e for b, e in zip(block, spacing, strict=True)))

    @property
    def voxel_ml(self) -> float:
        """Volume of a block in ml."""
        return float(np.prod(self.spacing)) / 1000

    def merged(self, volume: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return block means of the values between floor and ceiling.

        Where the blocks do not fill the last one, the mean is of the voxels that are there.
        """
        values = np.clip(volume, np.float32(FLOOR), np.float32(CEILING))
        for axis, block in enumerate(self.block):
            if block > 1:
                values = _mean_of_blocks(values, axis, block)
        return values

    def spread(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return the voxels of the volume whose block is in the mask."""
        for axis, block in enumerate(self.block):
            if block > 1:
                mask = mask.repeat(block, axis=axis)
        return mask[tuple(slice(length) for length in self.shape)]


def _mean_of_blocks(values: NDArray[Any], axis: int, block: int) -> NDArray[Any]:
    starts = np.arange(0, values.shape[axis], block)
    total = np.zeros((*values.shape[:axis], len(starts), *values.shape[axis + 1 :]), np.float32)
    count = np.zeros(len(starts), np.float32)
    lead = (slice(None),) * axis
    for offset in range(block):  # strided sums: several times faster than reduceat
        part = values[(*lead, slice(offset, None, block))]
        total[(*lead, slice(part.shape[axis]))] += part
        count[: part.shape[axis]] += 1
    return total / count.reshape(-1, *(1,) * (values.ndim - axis - 1))
