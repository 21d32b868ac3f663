"""A thorax-like CT in Hounsfield units (HU): air -1000, water 0."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from survkit.phantom import anatomy
from survkit.phantom.anatomy import Build, Ellipsoid, Grid, Place
from survkit.phantom.truth import SMALLEST_RADIUS

AIR, FAT, MUSCLE, LUNG, BLOOD, LIVER, BONE, RIB = (
    -1000.0,
    -100.0,
    40.0,
    -800.0,
    40.0,
    55.0,
    300.0,
    300.0,
)
LESION = 200.0
"""Mean HU of a lesion; well enhanced by contrast medium, so that its volume can be read off by
thresholds."""
TEXTURE = 250.0
"""SD in HU of the texture of a lesion with texture amplitude 1."""
GRAIN = 5.0
"""Width (SD) in mm of the kernel that makes the texture's grain."""
NOISE = 20.0
"""SD in HU of a standard scanner's noise."""


@dataclass(frozen=True, slots=True)
class Lesion:
    """One subject's lesion, a ball in a lung.

    Attributes:
        place: Where it is, and in what thorax.
        radius: In mm.
        texture: Amplitude of its texture in CT, 0 to 1.
        uptake: SUV in PET.
        core_radius: Of the part that PET shows, in mm.
    """

    place: Place
    radius: float
    texture: float
    uptake: float
    core_radius: float = SMALLEST_RADIUS

    @property
    def ball(self) -> Ellipsoid:
        """All of the lesion."""
        return Ellipsoid(self.place.center, (self.radius,) * 3)

    @property
    def core(self) -> Ellipsoid:
        """The active part that PET shows, of one size in all subjects, so that PET tells nothing
        about the size.
        """
        return Ellipsoid(self.place.center, (self.core_radius,) * 3)


def lesion_mask(grid: Grid, lesion: Lesion) -> NDArray[np.bool_]:
    """Voxels whose middle lies in the lesion; bool (z, y, x)."""
    mask = np.zeros((grid.size,) * 3, dtype=bool)
    box, distance = anatomy.radial(grid, lesion.ball)
    mask[box] = distance <= 1
    return mask


def draw_ct(grid: Grid, lesion: Lesion, random: np.random.Generator) -> NDArray[np.float32]:
    """Return the noise-free CT (z, y, x) in HU; ``random`` draws the lesion's texture."""
    build = lesion.place.build
    volume = np.full((grid.size,) * 3, AIR, dtype=np.float32)
    for ellipsoid, value in (
        (anatomy.BODY, FAT),
        (anatomy.MUSCLE, MUSCLE),
        (anatomy.LIVER, LIVER),
        (anatomy.LUNGS[0], LUNG),
        (anatomy.LUNGS[1], LUNG),
        (anatomy.TRACHEA, AIR),
        (anatomy.HEART, BLOOD),
        (anatomy.SPINE, BONE),
    ):
        paint(volume, anatomy.filled(grid, build.place(ellipsoid)), value)
    paint(volume, _ribs(grid, build), RIB)
    box, share = anatomy.filled(grid, lesion.ball)
    paint(
        volume, (box, share), LESION + TEXTURE * lesion.texture * _grain(grid, share.shape, random)
    )
    return volume


def paint(
    volume: NDArray[np.float32],
    region: tuple[anatomy.Box, NDArray[np.float32]],
    value: float | NDArray[np.float32],
) -> None:
    """Mix a value into the volume, in place, by the share of each voxel that it takes."""
    box, share = region
    volume[box] += share * (value - volume[box])


def _ribs(grid: Grid, build: Build) -> tuple[anatomy.Box, NDArray[np.float32]]:
    """Slanted bars, 32 mm apart, in the shell of the rib cage, which is open at the top and the
    bottom.
    """
    cage = build.place(anatomy.RIB_CAGE)
    box, distance = anatomy.radial(grid, cage, margin=grid.spacing)
    thick = 4.0 + grid.spacing / 2
    shell = np.clip(1.5 - np.abs(distance - 1) * min(cage.axes) / thick, 0, 1) * (
        8.0 / (8.0 + grid.spacing)
    )
    height = grid.positions[box[0]][:, None] - 0.35 * grid.positions[box[1]]
    bars = 0.5 - 0.5 * np.cos(height * np.float32(2 * np.pi / 32))
    end = np.abs(grid.positions[box[0]] - cage.center[0]) / (0.75 * cage.axes[0])
    bars = bars * np.clip((1 - end) * 8, 0, 1)[:, None]
    return box, (shell * bars[:, :, None]).astype(np.float32)


def _grain(grid: Grid, shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise of mean 0 and SD 1 over the box."""
    from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined]

    noise = gaussian_filter(
        random.standard_normal(shape, dtype=np.float32), GRAIN / grid.spacing, mode="wrap"
    )
    return np.asarray((noise - noise.mean()) / noise.std())
