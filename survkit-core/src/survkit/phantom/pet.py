"""The PET that belongs to the CT: standardized uptake values (SUV) on the same grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from survkit.phantom import anatomy
from survkit.phantom.anatomy import Grid
from survkit.phantom.thorax_ct import Lesion, paint

BODY, LUNG, HEART, LIVER = 0.8, 0.4, 1.6, 2.0
BLUR = 3.5
"""Width (SD) in mm of the scanner's point spread."""
NOISE = 0.12
"""SD of a standard scanner's noise at SUV 1; it grows with the square root of the SUV, as counts
do."""


def draw_pet(grid: Grid, lesion: Lesion) -> NDArray[np.float32]:
    """Return the noise-free PET (z, y, x) in SUV, blurred by the scanner.

    It shows the lesion's active core, whose size is the same in all subjects: PET carries the
    uptake alone.
    """
    from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined]

    build = lesion.place.build
    volume = np.zeros((grid.size,) * 3, dtype=np.float32)
    for ellipsoid, value in (
        (anatomy.BODY, BODY),
        (anatomy.LIVER, LIVER),
        (anatomy.LUNGS[0], LUNG),
        (anatomy.LUNGS[1], LUNG),
        (anatomy.HEART, HEART),
    ):
        paint(volume, anatomy.filled(grid, build.place(ellipsoid)), value)
    paint(volume, anatomy.filled(grid, lesion.core), lesion.uptake)
    return np.asarray(gaussian_filter(volume, BLUR / grid.spacing, truncate=3.0))
