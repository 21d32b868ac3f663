"""A volume on the prepared grid of another one: both show the same points of the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.data.readers.geometry import array_of, crop_or_pad, simpleitk
from survkit.data.readers.grid import grid_of, on_grid
from survkit.data.readers.opened_volume import OpenedVolume
from survkit.data.readers.prepared_grid import PreparedGrid
from survkit.errors import DataError

LEAST_OVERLAP = 0.5
"""Share of the other image's voxels in the box that must lie inside this one. Head CTs beside
whole-body PETs pass; scans of other parts of the body, or of unrelated coordinates, do not."""


@dataclass(frozen=True, slots=True)
class Block:
    """Intensities on the prepared grid, not yet filled or windowed.

    Attributes:
        values: float32 (channel, z, y, x); what stands outside the image means nothing.
        region: The mask; bool (z, y, x).
        inside: Which voxels lie inside the image; bool (z, y, x).
        smallest: Intensity of the whole image.
    """

    values: NDArray[np.float32]
    region: NDArray[np.bool_] | None
    inside: NDArray[np.bool_]
    smallest: float


def block_on_grid(
    opened: OpenedVolume,
    interpolation: str,
    place: PreparedGrid,
    fixed: OpenedVolume,
    name: str,
) -> Block:
    """Resample a volume to the prepared grid of another one; each voxel is interpolated once.

    Args:
        opened: The volume that is resampled.
        interpolation: Of its intensities; its mask takes the nearest voxel.
        place: The other's prepared grid.
        fixed: The other volume.
        name: Of the other's modality, for messages.

    Raises:
        DataError: Less than half of what the other image shows in the box lies in this one.
    """
    first = opened.channels[0]
    whole = simpleitk().Image(first.GetSize(), simpleitk().sitkUInt8) + 1
    whole.CopyInformation(first)
    inside = array_of(on_grid(whole, place.box, "nearest", outside=0.0)).astype(bool)
    there = np.ones(place.whole.zyx, dtype=bool)
    if place.centre is not None:
        there = crop_or_pad(there, place.box.zyx, place.centre, False)
    share = float((inside & there).sum() / there.sum())
    if share < LEAST_OVERLAP:
        raise DataError(
            f"{opened.path}: {share:.0%} of the grid of '{name}' ({fixed.path}) lies inside this "
            f"volume, at least {LEAST_OVERLAP:.0%} is needed. It covers {grid_of(first).extent()}; "
            f"the grid {place.box.extent()} (LPS). Give images of one examination in the same "
            "coordinates, or register them"
        )
    channels = [on_grid(image, place.box, interpolation, outside=0.0) for image in opened.channels]
    region = None
    if opened.mask is not None:
        region = array_of(on_grid(opened.mask, place.box, "nearest", outside=0.0)).astype(bool)
    smallest = min(float(array_of(image).min()) for image in opened.channels)
    return Block(np.stack([array_of(image) for image in channels]), region, inside, smallest)
