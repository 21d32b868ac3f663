"""Left and right lung apart, also where they touch in front of the heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit_slicetention.preparation.working_grid import WorkingGrid

APART = 60.0
"""mm sideways between the middles of two lungs; the lobes of one lung are nearer."""
LEAST_SHARE = 0.1
"""A lung has at least this share of both; a smaller piece belongs to the nearer lung."""
DEPTHS = (0.0, 2.5, 5.0, 7.5)
"""mm that are taken off the border until the two come apart."""


def two_lungs(lungs: NDArray[np.bool_], grid: WorkingGrid) -> list[NDArray[np.bool_]]:
    """Return the lungs one by one; together they are all of ``lungs``.

    One mask comes back where there is one lung alone, or where the two cannot be told apart.
    """
    from scipy.ndimage import distance_transform_edt, label  # type: ignore[attr-defined]

    depth = None
    for least in DEPTHS:
        core = lungs
        if least > 0:
            if depth is None:
                depth = distance_transform_edt(lungs, sampling=grid.spacing)
            core = depth > least
        labels, count = label(core)
        pair = _two_sides(labels, count, grid)
        if pair is not None:
            return _divided(lungs, labels, pair, grid)
    return [lungs]


def _two_sides(labels: NDArray[np.int32], count: int, grid: WorkingGrid) -> tuple[int, int] | None:
    """Return the two largest pieces that lie far apart sideways, if there are two."""
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    sizes[0] = 0
    large = np.flatnonzero(sizes >= LEAST_SHARE * sizes.sum())
    large = large[np.argsort(-sizes[large])]
    columns = np.arange(labels.shape[2])
    middles = {
        int(each): float(np.average(columns, weights=(labels == each).sum(axis=(0, 1))))
        for each in large
    }
    for other in large[1:]:
        if abs(middles[int(other)] - middles[int(large[0])]) * grid.spacing[2] >= APART:
            return int(large[0]), int(other)
    return None


def _divided(
    lungs: NDArray[np.bool_], labels: NDArray[np.int32], pair: tuple[int, int], grid: WorkingGrid
) -> list[NDArray[np.bool_]]:
    """Give every voxel to the nearer of the two pieces."""
    from scipy.ndimage import distance_transform_edt  # type: ignore[attr-defined]

    first, second = labels == pair[0], labels == pair[1]
    if not (lungs & ~first & ~second).any():
        return [first, second]
    to_first, to_second = (
        distance_transform_edt(~each, sampling=grid.spacing) for each in (first, second)
    )
    nearer = to_first <= to_second
    return [lungs & nearer, lungs & ~nearer]
