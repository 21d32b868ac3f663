"""The lungs by thresholds and morphology, without weights.

The steps, on blocks of about 2 mm: air inside the body, less the windpipe and the main bronchi,
less gas of the bowel; then each lung is closed with a ball, so that vessels and nodules or tumours
at the pleura up to 2 x 8 mm across belong to it, and what an axial slice of it encloses is filled,
whatever its size. Last, the border is drawn on the voxels themselves.

What it cannot do: a tumour wider than that at the pleura or the mediastinum, an effusion or a
consolidated lobe are as dense as the chest wall and stay outside (in the slices where they touch
it). The orientation is survkit's
(LPS): z runs to the head, x to the patient's left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.errors import DataError
from survkit_slicetention.preparation.airways import airways
from survkit_slicetention.preparation.body_air import AIR, IN_PLANE, air_in_body
from survkit_slicetention.preparation.hounsfield import check_hounsfield
from survkit_slicetention.preparation.lung_regions import lung_regions
from survkit_slicetention.preparation.two_lungs import two_lungs
from survkit_slicetention.preparation.working_grid import WorkingGrid

CLOSING = 8.0
"""Radius in mm of the ball that closes the border of a lung."""


def segment_lungs(
    volume: NDArray[np.float32], spacing: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Return which voxels are lung, vessels and enclosed tumours included.

    Args:
        volume: HU (z, y, x), z towards the head; padding below -1024 is taken for air.
        spacing: Voxel size in mm (z, y, x).

    Raises:
        DataError: The values are not HU, or there is no lung (the message says what was found).
    """
    check_spacing(spacing)
    check_hounsfield(volume)
    grid = WorkingGrid.of(volume.shape, spacing)
    values = grid.merged(volume)
    air = air_in_body(values, grid)
    tubes = airways(air, _body_centre(air, values), grid)
    lungs = lung_regions(air & ~tubes, values, grid)
    closed = _closed(lungs, grid) & ~tubes
    return _redrawn(volume, closed, lungs, values < AIR, grid)


def check_spacing(spacing: tuple[float, ...]) -> None:
    """Refuse a voxel size that is none.

    Raises:
        DataError: Not three finite numbers above 0.
    """
    if len(spacing) != 3 or not all(np.isfinite(edge) and edge > 0 for edge in spacing):
        raise DataError(f"a voxel has three edges above 0 mm (z, y, x), not {tuple(spacing)}")


def _body_centre(air: NDArray[np.bool_], values: NDArray[np.float32]) -> float:
    """Return the column in the middle of the chest: half of the tissue lies left of it."""
    tissue = np.count_nonzero((values > AIR)[air.any(axis=(1, 2))], axis=(0, 1)).cumsum()
    return float(np.searchsorted(tissue, tissue[-1] / 2)) if len(tissue) else 0.0


def _closed(lungs: NDArray[np.bool_], grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return both lungs, each closed by a ball and filled; the gap between them stays open."""
    from scipy.ndimage import find_objects  # type: ignore[attr-defined]

    closed = np.zeros_like(lungs)
    box = find_objects(lungs.astype(np.uint8))[0]
    for lung in two_lungs(lungs[box], grid):
        inner = find_objects(lung.astype(np.uint8))[0]
        whole = closed[box][inner]
        whole |= _filled(_ball_closed(lung[inner], grid))
    return closed


def _ball_closed(lung: NDArray[np.bool_], grid: WorkingGrid) -> NDArray[np.bool_]:
    from scipy.ndimage import distance_transform_edt  # type: ignore[attr-defined]

    margin = [int(np.ceil(CLOSING / edge)) + 1 for edge in grid.spacing]
    padded = np.pad(lung, [(each, each) for each in margin])
    wide = distance_transform_edt(~padded, sampling=grid.spacing) <= CLOSING
    closed = distance_transform_edt(wide, sampling=grid.spacing) > CLOSING
    inner = tuple(slice(each, -each) for each in margin)
    return np.asarray(closed[inner] | lung)


def _filled(lung: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the lung with what any of its axial slices encloses.

    Not of the other directions: lung stands before, behind and above the heart.
    """
    from scipy.ndimage import label  # type: ignore[attr-defined]

    padded = np.pad(~lung, [(0, 0), (1, 1), (1, 1)], constant_values=True)
    regions, _ = label(padded, structure=IN_PLANE)
    outer = np.zeros(regions.max() + 1, dtype=bool)
    outer[regions[:, 0, 0]] = True
    return np.asarray(~outer[regions][:, 1:-1, 1:-1])


def _redrawn(
    volume: NDArray[np.float32],
    closed: NDArray[np.bool_],
    lungs: NDArray[np.bool_],
    air: NDArray[np.bool_],
    grid: WorkingGrid,
) -> NDArray[np.bool_]:
    """Return the lungs on the volume's own voxels.

    What the closing added is taken block by block. Elsewhere the border runs through the voxels:
    those of the lung, and of blocks of tissue beside it, that are air belong to it. Blocks of
    ``air`` that are no lung are left out.
    """
    from scipy.ndimage import binary_dilation, find_objects  # type: ignore[attr-defined]

    mask = np.zeros(volume.shape, dtype=bool)
    block_box = tuple(
        slice(max(each.start - 1, 0), each.stop + 1)
        for each in find_objects(closed.astype(np.uint8))[0]
    )
    box = tuple(
        slice(each.start * block, each.stop * block)
        for each, block in zip(block_box, grid.block, strict=True)
    )
    near = binary_dilation(closed[block_box], np.ones((3, 3, 3)))
    near &= ~(air & ~lungs)[block_box] | closed[block_box]
    added = (closed & ~lungs)[block_box]
    part = volume[box]
    inner = WorkingGrid(part.shape, grid.block, grid.spacing)
    mask[box] = (inner.spread(near) & (part < AIR)) | inner.spread(added)
    return mask
