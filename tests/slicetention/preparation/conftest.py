"""A chest of ellipsoids and tubes, whose lungs are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

AIR, LUNG, TISSUE, BONE = -1000.0, -850.0, 30.0, 400.0
SHAPE, SPACING = (66, 88, 134), (4.0, 3.0, 3.0)

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Chest:
    """A CT and where its lungs are.

    Attributes:
        volume: HU (z, y, x).
        lungs: The truth.
        spacing: Voxel size in mm.
    """

    volume: NDArray[np.float32]
    lungs: Mask
    spacing: tuple[float, float, float]


class Canvas:
    """Voxels in mm from the middle of the chest; z to the head, y to the back, x to the left."""

    def __init__(self, shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
        self.z, self.y, self.x = np.meshgrid(
            *[
                (np.arange(length) - (length - 1) / 2) * edge
                for length, edge in zip(shape, spacing, strict=True)
            ],
            indexing="ij",
            sparse=True,
        )

    def ball(self, centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Mask:
        """An ellipsoid."""
        parts = zip((self.z, self.y, self.x), centre, axes, strict=True)
        return np.asarray(sum(((place - c) / a) ** 2 for place, c, a in parts) <= 1)

    def tube(
        self, start: tuple[float, float, float], end: tuple[float, float, float], radius: float
    ) -> Mask:
        """A straight tube with round ends."""
        along = np.subtract(end, start)
        offsets = [p - s for p, s in zip((self.z, self.y, self.x), start, strict=True)]
        share = sum(o * a for o, a in zip(offsets, along, strict=True)) / (along @ along)
        share = np.clip(share, 0, 1)
        square = sum((o - share * a) ** 2 for o, a in zip(offsets, along, strict=True))
        return np.asarray(square <= radius**2)


def draw_chest(
    sides: tuple[int, ...] = (-1, 1),
    shape: tuple[int, int, int] = SHAPE,
    spacing: tuple[float, float, float] = SPACING,
    noise: float = 30.0,
) -> Chest:
    """Lungs (sides -1 and 1) of -850 HU, windpipe, bronchi, stomach gas, spine, arms and table."""
    canvas = Canvas(shape, spacing)
    volume = np.full(shape, AIR)
    volume[canvas.ball((0, 0, 0), (1e9, 100, 145))] = TISSUE
    volume[canvas.ball((0, 10, 180), (1e9, 30, 25))] = TISSUE  # arms
    volume[canvas.ball((0, 10, -180), (1e9, 30, 25))] = TISSUE
    volume[np.broadcast_to((canvas.y > 108) & (canvas.y < 114), shape)] = -200.0  # table
    volume[canvas.tube((-200, 75, 0), (200, 75, 0), 18)] = BONE
    lungs = np.zeros(shape, dtype=bool)
    for side in sides:
        lung = canvas.ball((15, -3, 72 * side), (85, 72, 52))
        lungs |= lung
        volume[lung] = LUNG
        volume[canvas.tube((40, 10, 0), (15, 5, 34 * side), 6) & ~lung] = AIR
    volume[canvas.tube((300, 15, 0), (40, 10, 0), 9)] = AIR
    volume[canvas.ball((-100, -30, 60), (22, 25, 30))] = AIR  # stomach
    volume += np.random.default_rng(0).normal(0, noise, shape) if noise else 0
    return Chest(volume.astype(np.float32), lungs, spacing)


@pytest.fixture(scope="session")
def chest() -> Chest:
    """Both lungs."""
    return draw_chest()


@pytest.fixture(scope="session")
def new_chest() -> Callable[..., Chest]:
    """Draw another one."""
    return draw_chest


@pytest.fixture(scope="session")
def canvas() -> Canvas:
    """The voxels of ``chest``."""
    return Canvas(SHAPE, SPACING)


def dice_of(first: Mask, second: Mask) -> float:
    """Overlap: 1 for equal masks, 0 for apart ones."""
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


@pytest.fixture(scope="session")
def dice() -> Callable[[Mask, Mask], float]:
    """The overlap of two masks."""
    return dice_of
