"""Another calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from survkit.corruptions.intensity import check_severity, intensity_range
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class IntensityShift:
    """Stretches and moves all intensities of a subject: a scanner calibrated otherwise, another
    dose or injected activity.

    ``low + (x - low) * (1 + a) + b * range`` with a uniform in [-gain, gain] and b uniform in
    [-shift, shift], drawn once per subject; range and low as declared, or the sample's own.

    Args:
        shift: Largest offset as a share of the range.
        gain: Largest relative change of the gain.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"shift": 0.05, "gain": 0.05},
        "medium": {"shift": 0.1, "gain": 0.1},
        "high": {"shift": 0.2, "gain": 0.2},
    }
    stochastic: ClassVar[bool] = True

    shift: float = 0.1
    gain: float = 0.1

    def __post_init__(self) -> None:
        for name in ("shift", "gain"):
            check_severity(name, getattr(self, name), 0, 100, "no calibration is as far off")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Change the calibration."""
        if self.shift == 0 and self.gain == 0:
            return sample
        low, high = intensity_range(sample)
        gain, shift = (2 * torch.rand(2, generator=generator, dtype=torch.float64) - 1).tolist()
        offset = self.shift * shift * (high - low)
        values = (sample.values - low) * (1 + self.gain * gain) + (low + offset)
        return replace(sample, values=values)
