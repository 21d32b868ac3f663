"""Which voxels a subject's prepared volume has: spacing, size and where the crop is centred."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.data.modality_config import VolumeModality
from survkit.data.readers.geometry import array_of, box_centre
from survkit.data.readers.grid import Grid, boxed, grid_of, on_grid, respaced
from survkit.data.readers.opened_volume import OpenedVolume
from survkit.errors import DataError

PEAK_SIGMA = 3.0
"""Standard deviation in mm of the smoothing before the peak is sought: one noisy voxel is none."""


@dataclass(frozen=True, slots=True)
class PreparedGrid:
    """Where a prepared volume lies.

    Attributes:
        whole: The image's extent at the declared spacing.
        centre: Voxel (z, y, x) of ``whole`` round which the crop lies; ``None`` without a size.
        box: The voxels of the prepared volume; they may reach beyond the image.
        region: The mask on ``whole``, bool (z, y, x).
    """

    whole: Grid
    centre: tuple[int, ...] | None
    box: Grid
    region: NDArray[np.bool_] | None


def prepared_grid(config: VolumeModality, opened: OpenedVolume) -> PreparedGrid:
    """Return where the prepared volume lies, before any intensity is resampled.

    Raises:
        DataError: The crop needs a mask that the subject lacks or that vanishes at the spacing, or
            a peak of several channels.
    """
    whole = grid_of(opened.channels[0])
    region = None
    if config.spacing is not None:
        whole = respaced(whole, config.spacing)
    if opened.mask is not None:
        mask = opened.mask if config.spacing is None else on_grid(opened.mask, whole, "nearest")
        region = array_of(mask).astype(bool)
    if config.size is None:
        return PreparedGrid(whole, None, whole, region)
    centre = _centre(config, opened, whole, region)
    return PreparedGrid(whole, centre, boxed(whole, config.size, centre), region)


def _centre(
    config: VolumeModality, opened: OpenedVolume, whole: Grid, region: NDArray[np.bool_] | None
) -> tuple[int, ...]:
    if config.crop == "peak":
        return _peak(opened, whole)
    if config.crop == "center":
        return tuple(length // 2 for length in whole.zyx)
    if region is None:
        raise DataError(f"{opened.path}: crop: mask needs a mask, but the subject has none")
    if not region.any():
        raise DataError(f"{opened.path}: the mask vanishes at a spacing of {config.spacing} mm")
    return box_centre(region)


def _peak(opened: OpenedVolume, whole: Grid) -> tuple[int, ...]:
    """Return the voxel (z, y, x) of a grid at the brightest place of the smoothed image."""
    from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined]

    if len(opened.channels) > 1:
        raise DataError(
            f"{opened.path}: crop: peak is sought in one channel, but the volume has "
            f"{len(opened.channels)}; choose by 'channel'"
        )
    own = grid_of(opened.channels[0])
    sigma = [PEAK_SIGMA / length for length in own.spacing_zyx]
    smooth = gaussian_filter(array_of(opened.channels[0]), sigma, mode="nearest")
    brightest = np.unravel_index(int(smooth.argmax()), smooth.shape)[::-1]
    found = np.rint(whole.index(own.point([float(place) for place in brightest])))
    return tuple(np.clip(found, 0, np.array(whole.size) - 1).astype(int).tolist()[::-1])
