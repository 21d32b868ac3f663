"""From HU to what the backbone sees, and the mean and SD that training subjects taught."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal, get_args

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError

Intensity = Literal["clip_zscore", "zscore", "clip_minmax"]
"""``clip_zscore``: clipped, then standardised (default). ``zscore``: raw HU standardised, as the
paper's code does. ``clip_minmax``: clipped, then [0, 1], as the paper's notes say."""
CLIP = (-1000.0, 400.0)
"""HU to which the clipping modes clip."""


def scaled(
    slices: Tensor, mode: Intensity, mean: float | Tensor = 0.0, sd: float | Tensor = 1.0
) -> Tensor:
    """Return slices in HU on the scale of a mode; any shape, same dtype.

    Args:
        slices: HU.
        mode: The scale.
        mean: Over the pixels of the training subjects: of clipped HU for ``clip_zscore``, of raw HU
            for ``zscore`` (see ``clipped``). ``clip_minmax`` uses neither mean nor SD.
        sd: The standard deviation of the same pixels, above 0. One that lies on an accelerator is
            not looked at, which would make the device wait.

    Raises:
        ConfigError: No such mode.
        DataError: The SD is not above 0.
    """
    values = clipped(slices, mode)
    if mode == "clip_minmax":
        return (values - CLIP[0]) / (CLIP[1] - CLIP[0])
    at_hand = not isinstance(sd, Tensor) or sd.device.type == "cpu"
    if at_hand and not bool(torch.as_tensor(sd > 0).all()):
        raise DataError(
            f"intensity: {mode} divides by the SD of the training pixels, which must be above 0, "
            f"not {float(torch.as_tensor(sd).min())}"
        )
    return (values - mean) / sd


def clipped(slices: Tensor, mode: Intensity) -> Tensor:
    """Return what a mode takes mean and SD of: clipped HU, or raw ones for ``zscore``.

    Raises:
        ConfigError: No such mode.
    """
    if mode not in get_args(Intensity):
        raise ConfigError(f"intensity is one of {', '.join(get_args(Intensity))}, not {mode!r}")
    return slices if mode == "zscore" else slices.clamp(*CLIP)


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelMoments:
    """Count, mean and sum of squared deviations of pixels, gathered stack by stack in float64.

    For training subjects only: moments that have seen a validation or a test subject leak.
    ``PixelMoments()`` has seen nothing; moments of parts are merged with ``+``, in any order
    (equal to a relative 1e-12).

    Reference: Chan, Golub and LeVeque (1983), The American Statistician 37:242.
    """

    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, slices: Tensor, mode: Intensity = "clip_zscore") -> PixelMoments:
        """Return the moments of all pixels of a stack in HU, clipped where the mode clips.

        Raises:
            ConfigError: No such mode.
            DataError: No pixel, or one that is not finite.
        """
        values = clipped(slices, mode).detach().double()
        if values.numel() == 0:
            raise DataError(f"mean and SD need a pixel, but the stack is {tuple(slices.shape)}")
        mean = values.mean()
        squares = (values - mean).square().sum()
        if not bool(torch.isfinite(squares)):
            raise DataError("mean and SD need finite HU, but a pixel of the stack is not finite")
        return cls(count=values.numel(), mean=float(mean), squares=float(squares))

    def __add__(self, other: PixelMoments) -> PixelMoments:
        count = self.count + other.count
        if count == 0:
            return self
        gap = other.mean - self.mean
        return PixelMoments(
            count=count,
            mean=(self.count * self.mean + other.count * other.mean) / count,
            squares=self.squares + other.squares + gap**2 * self.count * other.count / count,
        )

    @property
    def sd(self) -> float:
        """Standard deviation over the pixels (divided by their number).

        Raises:
            DataError: No pixel was seen.
        """
        if self.count == 0:
            raise DataError("mean and SD of no pixel are undefined: add the training stacks first")
        return sqrt(self.squares / self.count)
