"""The trachea and the main bronchi, followed from the top of the scan downwards."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit_slicetention.preparation.body_air import IN_PLANE
from survkit_slicetention.preparation.working_grid import WorkingGrid

LUMEN = (40.0, 900.0)
"""mm²: the least and the largest cross-section of a windpipe."""
LENGTH = 30.0
"""mm: a round hole that is shorter is no windpipe."""
OFF_CENTRE = 35.0
"""mm: how far from the middle of the body a windpipe may lie sideways."""
GROWTH = 1.7
"""A cross-section that grows faster from slice to slice has run into a lung."""


def airways(air: NDArray[np.bool_], body_centre: float, grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return the large airways within the air of the body.

    In every slice from the top, a compact hole near the middle of the body may be the windpipe. It
    is followed downwards through the holes that overlap it, both bronchi included, as long as their
    cross-section stays that of an airway. The first one that is 30 mm long is taken.

    Args:
        air: Air inside the body.
        body_centre: Column of the middle of the body.
        grid: The grid of ``air``.
    """
    from scipy.ndimage import find_objects, label  # type: ignore[attr-defined]

    holes, count = label(air, structure=IN_PLANE)
    found = np.zeros_like(air)
    if count == 0:
        return found
    pixel = grid.spacing[1] * grid.spacing[2]
    area = np.asarray(np.bincount(holes.ravel(), minlength=count + 1) * pixel, np.float64)
    boxes = find_objects(holes)
    below = _overlaps(holes, count)
    tried: set[int] = set()
    for first in _top_down(holes, area, LUMEN):
        box = boxes[first - 1]
        if first in tried or not _round_and_central(box, area[first], body_centre, grid):
            continue
        track = _followed(first, below, area)
        tried.update(track)
        tops = [boxes[each - 1][0].start for each in track]
        if (max(tops) - min(tops) + 1) * grid.spacing[0] >= LENGTH:
            found = np.isin(holes, list(track))
            break
    return found


def _top_down(
    holes: NDArray[np.int32], area: NDArray[np.float64], allowed: tuple[float, float]
) -> list[int]:
    """Return the holes of an allowed size, the most cranial first; labels rise with z."""
    fits = (area >= allowed[0]) & (area <= allowed[1])
    fits[0] = False
    slice_of = np.zeros(len(area), dtype=int)
    for z in range(len(holes)):
        slice_of[np.unique(holes[z])] = z
    labels = np.flatnonzero(fits)
    return [int(each) for each in labels[np.argsort(-slice_of[labels], kind="stable")]]


def _round_and_central(
    box: tuple[slice, ...], area: float, centre: float, grid: WorkingGrid
) -> bool:
    height = (box[1].stop - box[1].start) * grid.spacing[1]
    width = (box[2].stop - box[2].start) * grid.spacing[2]
    middle = (box[2].start + box[2].stop - 1) / 2
    return bool(
        abs(middle - centre) * grid.spacing[2] <= OFF_CENTRE
        and max(height, width) <= 2.5 * min(height, width)
        and area >= 0.4 * height * width
    )


def _overlaps(holes: NDArray[np.int32], count: int) -> dict[int, list[int]]:
    """Return for every hole those of the next lower slice that overlap it."""
    upper, lower = holes[1:], holes[:-1]
    both = (upper > 0) & (lower > 0)
    pairs = np.unique(upper[both].astype(np.int64) * (count + 1) + lower[both])
    below: dict[int, list[int]] = {}
    for pair in pairs:
        below.setdefault(int(pair // (count + 1)), []).append(int(pair % (count + 1)))
    return below


def _followed(
    first: int, below: dict[int, list[int]], area: NDArray[np.float64]
) -> dict[int, None]:
    track: dict[int, None] = {first: None}
    queue = [first]
    while queue:
        above = queue.pop()
        limit = min(max(GROWTH * area[above], 2 * LUMEN[0]), LUMEN[1])
        for each in below.get(above, []):
            if each not in track and area[each] <= limit:
                track[each] = None
                queue.append(each)
    return track
