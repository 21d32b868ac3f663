"""Design B: a fixed region of the picture whose pattern grows with a graded severity.

Reference: this package's own design; the paper's is not available.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from survkit_radvit.shallow.event_times import Follow, censoring_rate, observe
from survkit_radvit.shallow.patterns import orthonormal_patterns, with_noise
from survkit_radvit.shallow.subjects import Study, Subjects

SIDE, DIM, PATTERNS, FIRST_OTHER = 6, 64, 20, 2
REGION = (14, 15, 20, 21)
"""The four central patches of the 6 x 6 grid, row by row."""
SLOPE = 0.5
"""Of the second pattern on the severity."""
SIZES = (400, 200, 600)
_QUANTILES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedRegion:
    """Draws studies of design B.

    Every subject has a severity z ~ N(0, 1), which is its log hazard; the tokens of the region are
    the first pattern plus ``0.5 z`` times the second, all others say nothing.

    Attributes:
        noise: SD of the noise per coordinate.
        follow: How subjects are followed.
        sizes: Training, validation and test subjects.
    """

    noise: float
    follow: Follow
    sizes: tuple[int, int, int] = SIZES

    def draw(self, generator: Generator) -> Study:
        """Draw a study."""
        patterns = orthonormal_patterns(PATTERNS, DIM, generator)
        rate = censoring_rate(normal_population(), self.follow)
        return Study(*(self._subjects(size, patterns, rate, generator) for size in self.sizes))

    def _subjects(self, size: int, patterns: Tensor, rate: float, generator: Generator) -> Subjects:
        severity = torch.randn(size, generator=generator, dtype=torch.float64)
        index = torch.randint(FIRST_OTHER, PATTERNS, (size, SIDE**2), generator=generator)
        tokens = patterns[index]
        graded = patterns[0] + SLOPE * severity[:, None] * patterns[1]
        tokens[:, list(REGION)] = graded[:, None]
        relevant = torch.zeros(size, SIDE**2, dtype=torch.bool)
        relevant[:, list(REGION)] = True
        duration, observed = observe(severity, self.follow, rate, generator)
        return Subjects(
            tokens=with_noise(tokens, self.noise, generator),
            relevant=relevant,
            log_hazard=severity,
            duration=duration,
            observed=observed,
        )


def normal_population() -> Tensor:
    """Return evenly weighted quantiles of N(0, 1), the population of severities; float64."""
    share = (torch.arange(_QUANTILES, dtype=torch.float64) + 0.5) / _QUANTILES
    quantiles: Tensor = torch.special.ndtri(share)
    return quantiles
