"""Air inside the body, told from the room, the table and the padding around the scan's circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit_slicetention.preparation.working_grid import WorkingGrid

AIR = -400.0
"""HU below which a block is more lung or air than tissue."""
GAS = -960.0
"""HU below which more than half of a region of gas lies, and less than half of a lung, even a
destroyed one: it holds blood and tissue as well."""
ROOM = 0.2
"""Least share of gas in a region at the rim for it to be the room: the rest is cloth and foam. Of a
lung as good as nothing is so thin."""
IN_PLANE = np.array([np.zeros((3, 3)), [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.zeros((3, 3))], bool)
"""Neighbours within one slice."""
LUNG_AT_THE_RIM = 100.0
"""mm²: a smaller region at the rim of the image is not taken for a lung that was cut."""


def air_in_body(values: NDArray[np.float32], grid: WorkingGrid) -> NDArray[np.bool_]:
    """Return the air that the body encloses, slice by slice.

    The body is the largest connected piece of tissue. A region of air that reaches the rim of the
    image is the room, unless little of it is gas and it reaches one corner at most: then the image
    cuts through a lung. (The mean would not do: clothes, blankets and foam lie in the room.)
    """
    from scipy.ndimage import label  # type: ignore[attr-defined]

    air = values < AIR
    pieces, count = label(~air)
    if count == 0:
        return np.zeros_like(air)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    outside, count = label(pieces != sizes.argmax(), structure=IN_PLANE)
    # of the air alone: the table is no part of the body, but as dense
    area = np.bincount(outside[air], minlength=count + 1)
    gas = np.bincount(outside[air & (values < GAS)], minlength=count + 1)
    cut_lung = (area * grid.spacing[1] * grid.spacing[2] > LUNG_AT_THE_RIM) & (gas < ROOM * area)
    corners = np.zeros(count + 1, dtype=int)
    for row, column in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        corners[outside[:, row, column]] += 1  # a region is within one slice: no index comes twice
    rim = np.zeros(count + 1, dtype=bool)
    for edge in (outside[:, 0], outside[:, -1], outside[:, :, 0], outside[:, :, -1]):
        rim[edge] = True
    room = rim & ~(cut_lung & (corners < 2))
    room[0] = False
    return np.asarray(air & ~room[outside])
