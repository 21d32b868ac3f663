"""Sites whose scanners differ: the same body gives other numbers, the truth stays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.phantom import chest_xray, pet, thorax_ct
from survkit.phantom.streams import stream


@dataclass(frozen=True, slots=True)
class Scanner:
    """What one site's scanners do to the intensities.

    Attributes:
        ct_offset: Added to the CT, in HU.
        ct_scale: Factor on the CT's contrast to water.
        pet_scale: Factor on the SUV (calibration).
        cxr_scale: Factor on the X-ray's line integrals.
        noise: Factor on the noise of all scanners of the site.
    """

    ct_offset: float = 0.0
    ct_scale: float = 1.0
    pet_scale: float = 1.0
    cxr_scale: float = 1.0
    noise: float = 1.0

    def scan_ct(
        self, clean: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the CT as this scanner records it: whole HU, not below -1024."""
        noise = random.standard_normal(clean.shape, dtype=np.float32) * np.float32(
            thorax_ct.NOISE * self.noise
        )
        recorded = clean * np.float32(self.ct_scale) + np.float32(self.ct_offset) + noise
        return np.maximum(np.rint(recorded), -1024)

    def scan_pet(
        self, clean: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the PET as this scanner records it; never negative."""
        noise = random.standard_normal(clean.shape, dtype=np.float32) * np.sqrt(clean)
        recorded = (clean + noise * np.float32(pet.NOISE * self.noise)) * np.float32(self.pet_scale)
        return np.maximum(recorded, 0)

    def scan_cxr(
        self, clean: NDArray[np.float32], random: np.random.Generator
    ) -> NDArray[np.float32]:
        """Return the X-ray as this scanner records it."""
        noise = random.standard_normal(clean.shape, dtype=np.float32) * np.float32(
            chest_xray.NOISE * self.noise
        )
        return np.maximum(clean * np.float32(self.cxr_scale) + noise, 0)


def draw_scanner(seed: int, site: int, shift: float) -> Scanner:
    """Draw the scanners of a site; ``shift`` 0 makes all sites alike, 1 is ordinary, 3 is bad."""
    offset, ct, suv, cxr, noise = stream(seed, "scanner", site).standard_normal(5) * shift
    return Scanner(
        ct_offset=float(10 * offset),
        ct_scale=float(np.exp(0.02 * ct)),
        pet_scale=float(np.exp(0.06 * suv)),
        cxr_scale=float(np.exp(0.03 * cxr)),
        noise=float(np.exp(0.2 * noise)),
    )


def draw_sites(seed: int, subjects: int, sites: int) -> NDArray[np.int64]:
    """Draw every subject's site, 0 to ``sites - 1``, evenly and independent of everything else;
    (subject).
    """
    return np.array(
        [int(stream(seed, "site", subject).random() * sites) for subject in range(subjects)]
    )
