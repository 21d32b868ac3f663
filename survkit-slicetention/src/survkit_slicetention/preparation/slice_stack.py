"""A chest CT as the stack of slices that the backbone sees, as the paper prepares it.

1. Find the lungs (``lung_provider``).
2. Resample to 3 x 1 x 1 mm (z, y, x); the mask by the nearest voxel.
3. Keep the slices from the first to the last with at least 2 % lung area (``lung_slices``).
4. Cut the smallest box that holds the lungs of all kept slices, rows and columns (``lung_box``).
5. Resize each slice to 224 x 224, antialiased bilinear; the box becomes a square whatever its
   shape was, as in the paper.

Differences from the paper: the lungs are found before resampling, on the voxels as scanned; slices
are resized from the box at once, not stored at 256 x 256 first. Steps 2, 4 and 5 are computed as
one matrix per axis, which rounds in float32 but approximates nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.errors import ConfigError, DataError
from survkit_slicetention.preparation.axis_resampling import (
    Interpolation,
    along,
    nearest,
    positions,
    resampling,
    resizing,
)
from survkit_slicetention.preparation.lung_provider import LungProvider, lungs_of
from survkit_slicetention.preparation.lung_slices import LEAST_LUNG, lung_box, lung_slices

Spacing = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """How a CT becomes slices; the defaults are the paper's, but for the lungs by thresholds.

    Attributes:
        spacing: Voxel size in mm (z, y, x) to resample to.
        size: Rows and columns of a slice.
        lung_mask: Where the lungs come from.
        least_lung: Share of lung area from which on a slice is kept.
        interpolation: Between voxels, when resampling.
    """

    spacing: Spacing = (3.0, 1.0, 1.0)
    size: int = 224
    lung_mask: LungProvider = "threshold"
    least_lung: float = LEAST_LUNG
    interpolation: Interpolation = "bspline"

    def __post_init__(self) -> None:
        if len(self.spacing) != 3 or not all(np.isfinite(e) and e > 0 for e in self.spacing):
            raise ConfigError(
                f"spacing is three edges above 0 mm (z, y, x), not {tuple(self.spacing)}"
            )
        if type(self.size) is not int or self.size < 1:
            raise ConfigError(
                f"size is the number of rows of a slice, a whole number from 1, not {self.size!r}"
            )
        for name, known in (("lung_mask", LungProvider), ("interpolation", Interpolation)):
            if (value := getattr(self, name)) not in get_args(known):
                raise ConfigError(f"{name} is one of {', '.join(get_args(known))}, not {value!r}")
        if not 0 <= self.least_lung <= 1:
            raise ConfigError(f"least_lung is a share from 0 to 1, not {self.least_lung}")


def slice_stack(
    values: Tensor,
    spacing: Spacing,
    mask: Tensor | None,
    settings: StackSettings | None = None,
    source: str = "",
) -> Tensor:
    """Return the slices of a CT that show lung, float32 HU (slice, size, size).

    Slice 0 is the most caudal one (survkit's volumes are LPS: z runs to the head). HU are not
    clipped: splines overshoot at edges, so values beyond those of the scan can come (by up to a
    fifth of the step at an edge); the clipping modes of ``intensity`` clip them, ``zscore`` keeps
    them. Resampling to a wider spacing interpolates and does not average (as in the paper), so
    scans with thin slices keep their noise.

    Args:
        values: HU, one channel (1, z, y, x).
        spacing: Voxel size in mm (z, y, x).
        mask: The cohort's mask on the same voxels, bool (z, y, x); used by ``lung_mask: given``
            alone.
        settings: How; the defaults where it is ``None``.
        source: File or subject, put before the message of an error.

    Raises:
        DataError: Not one channel of HU, no lungs, no slice with enough lung, or a mask that does
            not fit.
        MissingExtraError: What ``lung_mask`` asks for is not installed.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20.
    """
    settings = settings or StackSettings()
    with _told_of(source):
        volume = _volume(values)
        places = _places(volume, spacing, mask, settings)
        return _stacked(volume, places, settings.interpolation, settings.size)


def region_share(
    values: Tensor,
    spacing: Spacing,
    mask: Tensor,
    settings: StackSettings | None = None,
    source: str = "",
) -> Tensor:
    """Return the share of each slice of :func:`slice_stack` that lies in a region, in [0, 1].

    The region goes the way of the voxels, interpolated linearly.

    Args:
        values: HU, one channel (1, z, y, x); they say where the slices are.
        spacing: Voxel size in mm (z, y, x).
        mask: The region, bool (z, y, x).
        settings: As for the stack.
        source: File or subject, put before the message of an error.

    Raises:
        DataError: As :func:`slice_stack`.
    """
    settings = settings or StackSettings()
    with _told_of(source):
        places = _places(_volume(values), spacing, mask, settings)
        region = mask.detach().to("cpu", torch.float32)
        return _stacked(region, places, "linear", settings.size).mean(dim=(1, 2)).clamp(0, 1)


@contextmanager
def _told_of(source: str) -> Iterator[None]:
    """Put the source before the message of an error."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{source}: {error}" if source else str(error)) from error


def _volume(values: Tensor) -> Tensor:
    if values.ndim != 4 or len(values) != 1:
        raise DataError(f"a CT has one channel (1, z, y, x), but this is {tuple(values.shape)}")
    return values[0].detach().to("cpu", torch.float32)


def _places(
    volume: Tensor, spacing: Spacing, mask: Tensor | None, settings: StackSettings
) -> list[NDArray[np.float64]]:
    """Return where the kept voxels of the new grid lie, by axis, as indices of the old ones."""
    given = None if mask is None else mask.detach().cpu().numpy()
    lungs = lungs_of(settings.lung_mask, volume.numpy(), spacing, given)
    places = [
        positions(*each) for each in zip(volume.shape, spacing, settings.spacing, strict=True)
    ]
    slices, box = _kept(lungs, places, settings.least_lung)
    return [each[cut] for each, cut in zip(places, (slices, *box), strict=True)]


def _stacked(
    volume: Tensor, places: list[NDArray[np.float64]], interpolation: Interpolation, size: int
) -> Tensor:
    for axis, kept in enumerate(places):
        matrix = resampling(kept, volume.shape[axis], interpolation)
        if axis > 0:
            matrix = resizing(len(matrix), size) @ matrix
        volume = along(volume, axis, matrix)
    return volume.contiguous()


def _kept(
    lungs: NDArray[np.bool_], places: list[NDArray[np.float64]], least: float
) -> tuple[slice, tuple[slice, slice]]:
    """Return slices, rows and columns of the new grid that are kept."""
    resampled = lungs
    for axis, (each, length) in enumerate(zip(places, lungs.shape, strict=True)):
        resampled = resampled.take(nearest(each, length), axis=axis)
    slices = lung_slices(resampled, least)
    return slices, lung_box(resampled[slices])
