"""Which regions of air are lungs: not bowel gas, not the stomach, not air between arm and chest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit_slicetention.preparation.body_air import GAS
from survkit_slicetention.preparation.working_grid import WorkingGrid

LEAST_LUNGS = 150.0
"""ml: less air than this is no pair of lungs, not even one lung of a small child."""
LEAST_REGION = 10.0
"""ml: a region apart from the largest that is smaller is noise, gas or a piece of airway."""


@dataclass(frozen=True, slots=True)
class Region:
    """A connected region of air.

    Attributes:
        label: Its number.
        ml: Its volume.
        mean: Its mean HU.
        gas_share: Which part of it is as thin as gas.
        slices: Its lowest and its highest slice.
        median_slice: Half of it lies below.
    """

    label: int
    ml: float
    mean: float
    gas_share: float
    slices: tuple[int, int]
    median_slice: float

    @property
    def is_gas(self) -> bool:
        """Whether it is gas alone."""
        return self.gas_share > 0.5


def lung_regions(
    air: NDArray[np.bool_], values: NDArray[np.float32], grid: WorkingGrid
) -> NDArray[np.bool_]:
    """Return the regions of air that are lungs.

    The largest region that is not gas alone is a lung, or both where they touch. Others are lungs
    too unless they are small (10 ml), gas alone, lie below the middle of the largest, as stomach
    and bowel do, or above all of it, as the cells of the skull do.

    Raises:
        DataError: No region is a lung; the message says what there is.
    """
    from scipy.ndimage import label  # type: ignore[attr-defined]

    labels, count = label(air)
    regions = _described(labels, count, values, grid)
    lungs = [each for each in regions if not each.is_gas]
    if not lungs or max(each.ml for each in lungs) < LEAST_LUNGS:
        raise DataError(_nothing_found(regions))
    largest = max(lungs, key=lambda each: each.ml)
    kept = [
        each.label
        for each in lungs
        if each.ml >= LEAST_REGION
        and each.slices[1] >= largest.median_slice
        and each.slices[0] <= largest.slices[1]
    ]
    return np.isin(labels, kept)


def _described(
    labels: NDArray[np.int32], count: int, values: NDArray[np.float32], grid: WorkingGrid
) -> list[Region]:
    """Return the regions of at least 1 ml."""
    from scipy.ndimage import find_objects  # type: ignore[attr-defined]

    flat = labels.ravel()
    size = np.bincount(flat, minlength=count + 1)
    mean = np.bincount(flat, values.ravel(), count + 1) / np.maximum(size, 1)
    gas = np.bincount(labels[values < GAS], minlength=count + 1)
    boxes = find_objects(labels)
    found = []
    for label in np.flatnonzero(size * grid.voxel_ml >= 1.0):
        if label == 0:
            continue
        box = boxes[label - 1]
        profile = np.count_nonzero(labels[box] == label, axis=(1, 2)).cumsum()
        found.append(
            Region(
                label=int(label),
                ml=float(size[label] * grid.voxel_ml),
                mean=float(mean[label]),
                gas_share=float(gas[label] / size[label]),
                slices=(box[0].start, box[0].stop - 1),
                median_slice=float(box[0].start + np.searchsorted(profile, profile[-1] / 2)),
            )
        )
    return found


def _nothing_found(regions: list[Region]) -> str:
    wanted = f"no lungs were found: at least {LEAST_LUNGS:g} ml of air inside the body was expected"
    advice = "check that the scan shows the chest, or give a mask of the lungs"
    if not regions:
        return f"{wanted}, but there is none; {advice}"
    largest = max(regions, key=lambda each: each.ml)
    return (
        f"{wanted}, but the largest region has {largest.ml:.0f} ml of mean {largest.mean:.0f} HU; "
        f"{advice}"
    )
