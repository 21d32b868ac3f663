"""A frontal chest X-ray as the projection of the CT along the front-to-back axis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

ATTENUATION = 0.02
"""Of water per mm, at the energies of a chest X-ray."""
BRIGHTEST = 6.5
"""The line integral that is white."""
NOISE = 0.02
"""SD of a standard scanner's noise, in units of the line integral."""


def project(ct: NDArray[np.float32], spacing: float) -> NDArray[np.float32]:
    """Return the line integrals of the attenuation, (row, column): head on top, the patient's left
    on the right.

    Args:
        ct: HU, (z, y, x).
        spacing: Voxel size along y in mm.
    """
    density = np.maximum(1 + ct / 1000, 0)
    return np.asarray(density.sum(axis=1)[::-1] * np.float32(ATTENUATION * spacing))


def project_mask(lesion: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the shadow of a lesion on the X-ray: the pixels whose ray meets a voxel of it.

    Args:
        lesion: Bool (z, y, x); the result is (row, column), turned as the X-ray is.
    """
    return np.asarray(np.any(lesion, axis=1))[::-1]


def to_gray(line_integrals: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Return 16-bit gray values on one scale for all subjects, dense tissue bright; beyond the
    scale is white.
    """
    return np.asarray(np.clip(line_integrals / BRIGHTEST, 0, 1) * 65535).round().astype(np.uint16)
