"""Turned and mirrored slices for training."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from survkit.errors import ConfigError, DataError


def augmented(
    slices: Tensor,
    generator: torch.Generator,
    *,
    rate: float = 0.2,
    degrees: float = 20.0,
    flip: float = 0.5,
    fill: float = 0.0,
) -> Tensor:
    """Return slices of which some, each drawn by itself, are turned and perhaps mirrored.

    With probability ``rate`` a slice is turned about its centre by an angle from -degrees to
    degrees, evenly drawn, bilinear between pixels, and then mirrored left to right with probability
    ``flip``. Other slices come back bit for bit. Three numbers per slice are drawn, on the
    generator's device, whatever comes of them.

    Args:
        slices: (token, y, x) or (token, c, y, x), floating point; the channels of a slice move
            together. Standardised already, so that ``fill`` 0 is the mean of training.
        generator: Source of all randomness.
        rate: Probability that a slice is touched at all.
        degrees: Largest angle.
        flip: Probability that a touched slice is mirrored.
        fill: Value of what a turn brings in from outside.

    Raises:
        ConfigError: A probability outside 0 to 1, or a negative angle.
        DataError: Not (token, y, x) or (token, c, y, x) of floating point.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20: rate 0.2, 20 degrees, flip 0.5.
    """
    _check(slices, rate, degrees, flip)
    draws = torch.rand(3, len(slices), generator=generator, device=generator.device)
    # chosen where they were drawn: with a generator on the CPU an accelerator need not wait
    chosen = (draws[0] < rate).nonzero().flatten()
    if len(chosen) == 0:
        return slices
    turn, mirror = draws[1, chosen], draws[2, chosen] < flip
    angle = ((2 * turn - 1) * (degrees * pi / 180)).to(
        slices.device, slices.dtype, non_blocking=True
    )
    chosen = chosen.to(slices.device, non_blocking=True)
    part = slices[chosen]
    images = part if part.ndim == 4 else part[:, None]
    moved = turned(images, angle, mirror.to(slices.device, non_blocking=True), fill)
    return slices.index_copy(0, chosen, moved.reshape(part.shape))


def turned(images: Tensor, angle: Tensor, mirror: Tensor, fill: float) -> Tensor:
    """Return images turned about their centres, then mirrored left to right; one grid for all.

    Args:
        images: Floating point (token, c, y, x).
        angle: Per image in radians, counter-clockwise as shown.
        mirror: Per image, bool.
        fill: Value of what a turn brings in from outside.
    """
    height, width = images.shape[-2:]
    sign = 1 - 2 * mirror.to(images.dtype)
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # affine_grid maps an output place to where its value comes from, in units of half the image
    rows = (
        torch.stack([sign * cos, -sin * height / width, zero], dim=1),
        torch.stack([sign * sin * width / height, cos, zero], dim=1),
    )
    grid = torch.nn.functional.affine_grid(
        torch.stack(rows, dim=1), list(images.shape), align_corners=False
    )
    sampled = torch.nn.functional.grid_sample(
        images - fill, grid, mode="bilinear", padding_mode="zeros", align_corners=False
    )
    return sampled + fill


def _check(slices: Tensor, rate: float, degrees: float, flip: float) -> None:
    for name, value in (("rate", rate), ("flip", flip)):
        if not 0 <= value <= 1:
            raise ConfigError(f"{name} is a probability from 0 to 1, not {value}")
    if not 0 <= degrees <= 180:
        raise ConfigError(f"degrees is the largest angle, from 0 to 180, not {degrees}")
    if slices.ndim not in (3, 4) or not slices.is_floating_point():
        raise DataError(
            "slices are floating point (token, y, x) or (token, c, y, x), not "
            f"{slices.dtype} {tuple(slices.shape)}"
        )
