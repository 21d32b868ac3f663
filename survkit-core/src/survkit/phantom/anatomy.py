"""The thorax as ellipsoids in mm, and how much of every voxel an ellipsoid fills.

Axes are (z, y, x): z towards the head, y towards the back, x towards the patient's left; the origin
is the middle of
the field of view. So an axial slice drawn row by row has the front on top, as radiologists look at
it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from math import inf

import numpy as np
from numpy.typing import NDArray

from survkit.phantom.streams import stream
from survkit.phantom.truth import LARGEST_RADIUS

FIELD_OF_VIEW = 320.0
"""Edge of the imaged cube in mm."""

Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """Centre and half-axes in mm, (z, y, x); an infinite half-axis makes a cylinder."""

    center: Point
    axes: Point


BODY = Ellipsoid((0, 0, 0), (inf, 112, 150))
MUSCLE = Ellipsoid((0, 0, 0), (inf, 103, 139))
RIB_CAGE = Ellipsoid((15, -3, 0), (140, 92, 129))
SPINE = Ellipsoid((0, 76, 0), (inf, 19, 19))
TRACHEA = Ellipsoid((90, 22, 0), (50, 9, 9))
HEART = Ellipsoid((-32, -28, 17), (42, 38, 36))
LIVER = Ellipsoid((-128, -5, -40), (48, 80, 92))
LUNGS = (Ellipsoid((15, -3, -72), (105, 76, 53)), Ellipsoid((15, -3, 72), (105, 76, 53)))
"""Right, left; the heart takes a notch out of the left one alone."""


@dataclass(frozen=True, slots=True)
class Build:
    """How one subject differs from the standard thorax.

    Attributes:
        scale: Factor on all lengths but the lesion's.
        shift: Displacement in mm.
    """

    scale: float
    shift: Point

    def place(self, ellipsoid: Ellipsoid) -> Ellipsoid:
        """Return the ellipsoid where this subject has it."""
        center = np.asarray(ellipsoid.center) * self.scale + self.shift
        return Ellipsoid(_point(center), _point(np.asarray(ellipsoid.axes) * self.scale))


@dataclass(frozen=True, slots=True)
class Place:
    """Where one subject's lesion is: its centre in mm from the middle of the field of view."""

    build: Build
    center: Point


@dataclass(frozen=True)
class Grid:
    """A cube of ``size`` voxels per edge over the field of view."""

    size: int

    @property
    def spacing(self) -> float:
        """Edge of a voxel in mm."""
        return FIELD_OF_VIEW / self.size

    @cached_property
    def positions(self) -> NDArray[np.float32]:
        """Middles of the voxels along any axis, in mm."""
        return ((np.arange(self.size) + 0.5) * self.spacing - FIELD_OF_VIEW / 2).astype(np.float32)


Box = tuple[slice, slice, slice]


def radial(
    grid: Grid, ellipsoid: Ellipsoid, margin: float = 0.0
) -> tuple[Box, NDArray[np.float32]]:
    """Return distances in units of the ellipsoid's own radius (1 on its surface), within the box
    around it.

    Args:
        grid: The voxels.
        ellipsoid: The body.
        margin: Widening of the box in mm on every side.
    """
    box, terms = [], []
    for center, axis in zip(ellipsoid.center, ellipsoid.axes, strict=True):
        first, last = np.searchsorted(
            grid.positions, [center - axis - margin, center + axis + margin]
        )
        box.append(slice(int(first), int(last)))
        terms.append(((grid.positions[first:last] - center) / axis) ** 2)
    squared = terms[0][:, None, None] + terms[1][:, None] + terms[2]
    return (box[0], box[1], box[2]), np.sqrt(squared)


def filled(grid: Grid, ellipsoid: Ellipsoid) -> tuple[Box, NDArray[np.float32]]:
    """Return the box around the ellipsoid and the share of each voxel that it fills, with an edge
    one voxel wide.

    The edge makes a ball of radius r larger by ``(voxel / 2r) ** 2``: 2 % at 3.5 voxels.
    """
    box, distance = radial(grid, ellipsoid, margin=grid.spacing)
    return box, np.clip(0.5 + (1 - distance) * (min(ellipsoid.axes) / grid.spacing), 0, 1)


def lung_mask(grid: Grid, build: Build) -> NDArray[np.bool_]:
    """Voxels whose middle lies in a lung, lesion included; bool (z, y, x)."""
    mask = np.zeros((grid.size,) * 3, dtype=bool)
    for lung in LUNGS:
        box, distance = radial(grid, build.place(lung))
        mask[box] |= distance <= 1
    box, distance = radial(grid, build.place(HEART))
    mask[box] &= distance > 1
    return mask


def draw_place(seed: int, subject: int, room: float = LARGEST_RADIUS) -> Place:
    """Draw a subject's build and a place in a lung, evenly among those with room for any lesion.

    The room is that of the cohort's largest lesion whatever the subject's own, else the place would
    tell the size, and PET more than the uptake.

    Args:
        seed: Of the cohort.
        subject: Number of the subject.
        room: Radius in mm of the largest lesion.
    """
    random = stream(seed, "place", subject)
    build = Build(scale=random.uniform(0.985, 1.015), shift=_point(random.uniform(-3, 3, size=3)))
    heart = build.place(HEART)
    ball = room * _directions()
    while True:  # ends: the middle of the right lung always has room
        lung = build.place(LUNGS[random.integers(2)])
        # all places with room lie in this ellipsoid, but not all of it has room
        center = lung.center + (np.asarray(lung.axes) - room) * _in_unit_ball(random)
        surface = center + ball
        if (_radius(surface, lung) <= 1).all() and (_radius(surface, heart) > 1).all():
            return Place(build, _point(center))


@cache
def _directions() -> NDArray[np.float64]:
    """Return 400 evenly spread points a little outside the unit sphere, to miss no gap."""
    index = np.arange(400) + 0.5
    height, turn = 1 - index / 200, index * np.pi * (1 + 5**0.5)
    flat = np.sqrt(1 - height**2)
    return np.asarray(1.01 * np.stack([height, flat * np.cos(turn), flat * np.sin(turn)], axis=1))


def _radius(points: NDArray[np.float64], ellipsoid: Ellipsoid) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm((points - ellipsoid.center) / ellipsoid.axes, axis=1))


def _in_unit_ball(random: np.random.Generator) -> NDArray[np.float64]:
    direction = random.standard_normal(3)
    return np.asarray(direction / np.linalg.norm(direction) * random.random() ** (1 / 3))


def _point(values: NDArray[np.float64]) -> Point:
    return (float(values[0]), float(values[1]), float(values[2]))
