"""Design A: six relevant patterns at random places, good and bad ones in a ratio that is the risk.

Reference: this package's own design; the paper's is not available.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from survkit_radvit.shallow.event_times import Follow, censoring_rate, observe
from survkit_radvit.shallow.patterns import orthonormal_patterns, with_noise
from survkit_radvit.shallow.subjects import Study, Subjects

TOKENS, DIM, PATTERNS, RELEVANT = 36, 64, 20, 6
BAD, GOOD, FIRST_OTHER = 0, 1, 2
"""Rows of the patterns; all from FIRST_OTHER on say nothing about the outcome."""
SIZES = (600, 300, 600)


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomPlaces:
    """Draws studies of design A.

    Every subject has k ~ U{0..6} bad and 6 - k good tokens at random places among 36; its log
    hazard is ``2 (2 k - 6) / 6``.

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
        rate = censoring_rate(log_hazard_of(torch.arange(RELEVANT + 1)), self.follow)
        return Study(*(self._subjects(size, patterns, rate, generator) for size in self.sizes))

    def _subjects(self, size: int, patterns: Tensor, rate: float, generator: Generator) -> Subjects:
        bad = torch.randint(RELEVANT + 1, (size,), generator=generator)
        index = torch.randint(FIRST_OTHER, PATTERNS, (size, TOKENS), generator=generator)
        places = torch.rand(size, TOKENS, generator=generator).argsort(dim=1)[:, :RELEVANT]
        kinds = torch.where(torch.arange(RELEVANT) < bad[:, None], BAD, GOOD)
        index.scatter_(1, places, kinds)
        log_hazard = log_hazard_of(bad)
        duration, observed = observe(log_hazard, self.follow, rate, generator)
        return Subjects(
            tokens=with_noise(patterns[index], self.noise, generator),
            relevant=index < FIRST_OTHER,
            log_hazard=log_hazard,
            duration=duration,
            observed=observed,
        )


def log_hazard_of(bad: Tensor) -> Tensor:
    """Return the log hazard of subjects with this many bad tokens; float64."""
    return 2 * (2 * bad.double() - RELEVANT) / RELEVANT
