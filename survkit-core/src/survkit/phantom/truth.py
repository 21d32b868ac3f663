"""What is true of every subject: latent factors, and the log hazard as a stated function of them.

All factors are independent of each other. Then a modality that shows some of them can at best rank
subjects by its own
part of the log hazard, which makes that part the oracle of the modality.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from math import pi, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from survkit.errors import ConfigError
from survkit.phantom.streams import stream

Modality = Literal["ct", "pet", "cxr", "clinical"]

SMALLEST_RADIUS, LARGEST_RADIUS = 20.0, 40.0
"""Of lesions, in mm, unless a cohort asks for others."""
STANDARD_RADII = (SMALLEST_RADIUS, LARGEST_RADIUS)
LOWEST_UPTAKE, HIGHEST_UPTAKE = 3.0, 15.0
"""Of lesions, standardized uptake value (SUV)."""
YOUNGEST, MEAN_AGE, AGE_SD, OLDEST = 40.0, 65.0, 10.0, 90.0
"""Of subjects, in years; a truncated normal distribution."""
STAGE_SHARES = (0.3, 0.25, 0.25, 0.2)
"""Of the stages I to IV."""
FACTORS = ("size", "texture", "uptake", "age", "stage", "sex")

CARRIES: Mapping[str, tuple[str, ...]] = {
    "ct": ("size", "texture"),
    "pet": ("uptake",),
    "cxr": ("size", "texture"),
    "clinical": ("age", "stage", "sex"),
}
"""Which factors each modality shows. The X-ray is the projection of the CT and blurs the texture,
so for it this is
an upper bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseEffects:
    """Change of one cause's log hazard per standard deviation of each factor; all factors have mean
    0 and SD 1.

    Attributes:
        size: Of the lesion's volume (not its radius: an image shows a number of voxels).
        texture: Of the amplitude of the lesion's texture in CT.
        uptake: Of the lesion's SUV.
        age: Of the age in years.
        stage: Of the stage counted 1 to 4.
        sex: Of being male.
    """

    size: float = 0.0
    texture: float = 0.0
    uptake: float = 0.0
    age: float = 0.0
    stage: float = 0.0
    sex: float = 0.0

    def __post_init__(self) -> None:
        for item in fields(self):
            if not np.isfinite(getattr(self, item.name)):
                raise ConfigError(
                    f"the effect of {item.name} must be a finite number, "
                    f"not {getattr(self, item.name)}"
                )


DEFAULT_EFFECTS = (
    CauseEffects(size=1.0, texture=0.3, uptake=1.05, age=0.75, stage=0.75, sex=0.1),
    CauseEffects(age=0.9, sex=0.4),
)
"""Cause 1, death of the lesion, shared evenly by CT, PET and clinical columns; cause 2, death of
anything else."""


@dataclass(frozen=True, slots=True)
class Factors:
    """The latent factors; each (subject).

    Attributes:
        volume: Lesion volume, mm³; uniform.
        texture: Amplitude of the lesion's texture, 0 to 1; uniform.
        uptake: SUV of the lesion; uniform.
        age: Years; truncated normal.
        stage: 1 to 4.
        sex: 0 female, 1 male; evenly.
        radii: Smallest and largest radius in mm, the ends of the volume's range.
    """

    volume: NDArray[np.float64]
    texture: NDArray[np.float64]
    uptake: NDArray[np.float64]
    age: NDArray[np.float64]
    stage: NDArray[np.int64]
    sex: NDArray[np.int64]
    radii: tuple[float, float] = STANDARD_RADII

    @property
    def radius(self) -> NDArray[np.float64]:
        """Radius of the lesion in mm."""
        return np.asarray(np.cbrt(self.volume * 3 / (4 * pi)))

    def standardized(self) -> dict[str, NDArray[np.float64]]:
        """Every factor with the mean 0 and the SD 1 that it has in the whole population, by its
        name in FACTORS.
        """
        smallest, largest = map(_ball, self.radii)
        stages = np.arange(1, 1 + len(STAGE_SHARES))
        stage_mean = float(stages @ STAGE_SHARES)
        stage_sd = sqrt(float((stages - stage_mean) ** 2 @ STAGE_SHARES))
        return {
            "size": _uniform_score((self.volume - smallest) / (largest - smallest)),
            "texture": _uniform_score(self.texture),
            "uptake": _uniform_score(
                (self.uptake - LOWEST_UPTAKE) / (HIGHEST_UPTAKE - LOWEST_UPTAKE)
            ),
            "age": (self.age - MEAN_AGE) / (AGE_SD * _TRUNCATED_SD),
            "stage": (self.stage.astype(np.float64) - stage_mean) / stage_sd,
            "sex": 2.0 * self.sex.astype(np.float64) - 1.0,
        }


_TRUNCATED_SD = 0.9545974863445806
"""SD of a standard normal truncated to -2.5 .. 2.5, where YOUNGEST and OLDEST lie:
sqrt(1 - 2 * 2.5 * pdf(2.5) / (2 * cdf(2.5) - 1))."""


def draw_factors(seed: int, subjects: int, radii: tuple[float, float] = STANDARD_RADII) -> Factors:
    """Draw the factors of subjects 0 to ``subjects - 1``."""
    uniforms = np.stack(
        [stream(seed, "factors", subject).random(len(FACTORS)) for subject in range(subjects)]
    )
    return factors_of(uniforms, radii)


def reference_factors() -> Factors:
    """Return 4,096 evenly spread subjects that stand for the whole population in integrals over
    it.
    """
    from scipy.stats import qmc

    points = qmc.Sobol(d=len(FACTORS), scramble=False).random_base2(12)
    return factors_of(points + 0.5 / len(points))


def factors_of(
    uniforms: NDArray[np.float64], radii: tuple[float, float] = STANDARD_RADII
) -> Factors:
    """Turn uniform numbers in [0, 1), (subject, factor) in the order of FACTORS, into factors."""
    from scipy.special import ndtr, ndtri

    size, texture, uptake, age, stage, sex = uniforms.T
    smallest, largest = map(_ball, radii)
    low, high = ndtr((YOUNGEST - MEAN_AGE) / AGE_SD), ndtr((OLDEST - MEAN_AGE) / AGE_SD)
    return Factors(
        volume=smallest + (largest - smallest) * size,
        texture=texture.copy(),
        uptake=LOWEST_UPTAKE + (HIGHEST_UPTAKE - LOWEST_UPTAKE) * uptake,
        age=MEAN_AGE + AGE_SD * ndtri(low + (high - low) * age),
        stage=1 + np.searchsorted(np.cumsum(STAGE_SHARES)[:-1], stage, side="right"),
        sex=(sex >= 0.5).astype(np.int64),
        radii=radii,
    )


def log_hazard(
    factors: Factors, effects: tuple[CauseEffects, ...], carried: tuple[str, ...] = FACTORS
) -> NDArray[np.float64]:
    """Return the log relative hazard of every cause, (subject, cause), or the part of it that some
    factors carry.
    """
    scores = factors.standardized()
    weights = np.array([[getattr(effect, name) for name in carried] for effect in effects])
    return np.asarray(np.stack([scores[name] for name in carried], axis=1) @ weights.T)


def _ball(radius: float) -> float:
    return 4 / 3 * pi * radius**3


def _uniform_score(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return (share - 0.5) * sqrt(12)
