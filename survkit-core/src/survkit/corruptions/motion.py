"""A patient who moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import pi
from typing import Any, ClassVar

import torch
from torch import Tensor

from survkit.corruptions.intensity import check_severity
from survkit.protocols import Sample
from survkit.specs import InputKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """Ghosts and blur of an acquisition in shots between which the patient moved rigidly.

    The lines of k-space along the phase axis (y) are acquired in shots from the centre outwards;
    the object lies at another place in every shot but the central one, by N(0, amplitude^2) voxels
    along each axis. A displacement is a linear phase, so the magnitude of every frequency, and with
    it the energy of the image, is kept. It wraps round at the edges, as it does in the scanner.
    This is the physics of MR; in CT and PET motion is nearer to a blur.

    Args:
        amplitude: Standard deviation of the displacement, in voxels.
        shots: Number of shots.

    Reference: Atkinson, Hill, Stoyle et al. (1997), on rigid motion between lines of k-space.
    """

    kinds: ClassVar[tuple[InputKind, ...]] = ("image", "volume")
    levels: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "low": {"amplitude": 0.25},
        "medium": {"amplitude": 0.5},
        "high": {"amplitude": 1.0},
    }
    stochastic: ClassVar[bool] = True

    amplitude: float = 0.5
    shots: int = 8

    def __post_init__(self) -> None:
        check_severity("amplitude", self.amplitude, 0, 1000, "the patient left the scanner then")
        check_severity("shots", self.shots, 2, 10_000, "there are not as many lines to acquire")

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        """Move the object between shots."""
        if self.amplitude == 0:
            return sample
        spatial = sample.values.shape[1:]
        moves = self.amplitude * torch.randn(
            self.shots, len(spatial), generator=generator, dtype=torch.float64
        )
        moves[0] = 0.0
        axes = tuple(range(1, sample.values.ndim))
        spectrum = torch.fft.fftn(sample.values.double(), dim=axes)
        phase = _displacement(spatial, moves[_shot_of_line(spatial[-2], self.shots)])
        moved = torch.fft.ifftn(spectrum * torch.exp(-2j * pi * phase), dim=axes).real
        return replace(sample, values=moved.to(sample.values.dtype))


def _shot_of_line(lines: int, shots: int) -> Tensor:
    """Return the shot in which each line is acquired; the same for a frequency and its negative,
    so that the image stays real.
    """
    distance = torch.fft.fftfreq(lines, 1 / lines).abs()
    shot: Tensor = (distance * shots / (lines // 2 + 1)).long()
    return shot


def _displacement(spatial: torch.Size, moves: Tensor) -> Tensor:
    """Return cycles of phase: the sum over axes of frequency times displacement of the line.

    Args:
        spatial: Axes of the image.
        moves: Displacement of each phase line along each axis, in voxels; (line, axis).
    """
    total = torch.zeros(spatial, dtype=torch.float64)
    for axis, length in enumerate(spatial):
        frequency = torch.fft.fftfreq(length, dtype=torch.float64)
        if length % 2 == 0:
            frequency[length // 2] = 0.0  # the highest frequency is its own negative
        shape = [1] * len(spatial)
        shape[axis] = length
        line = [1] * len(spatial)
        line[-2] = len(moves)
        total = total + frequency.view(shape) * moves[:, axis].view(line)
    return total
