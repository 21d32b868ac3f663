"""Shape features: measures of bodies whose size is known."""

from __future__ import annotations

import logging
from math import pi

import pytest
import torch

from survkit.errors import DataError
from survkit.radiomics import shape_features

pytest.importorskip("radiomics", exc_type=ImportError)


def ball(radius: float) -> torch.Tensor:
    """Voxels within the radius."""
    side = torch.arange(-12, 13).double()
    z, y, x = torch.meshgrid(side, side, side, indexing="ij")
    return z**2 + y**2 + x**2 <= radius**2


def test_a_ball() -> None:
    """Volume and diameter scale with the spacing; a ball is more spherical than a cube."""
    found = shape_features(ball(9.5), (2.0, 2.0, 2.0))

    assert len(found) == 14
    assert found["shape_MeshVolume"] == pytest.approx(4 / 3 * pi * 19**3, rel=0.03)
    assert found["shape_VoxelVolume"] == 8 * int(ball(9.5).sum())
    assert 0.9 < found["shape_Sphericity"] < 1  # steps of voxels; a cube has 0.81
    assert found["shape_Flatness"] == pytest.approx(1, abs=1e-6)


def test_the_spacing_is_in_the_order_of_the_shape() -> None:
    """A box that is long in voxels along z and short in mm."""
    mask = torch.zeros(22, 8, 8, dtype=torch.bool)
    mask[1:21, 1:7, 1:7] = True

    found = shape_features(mask, (0.1, 1.0, 1.0))

    assert found["shape_VoxelVolume"] == pytest.approx(20 * 6 * 6 * 0.1)
    assert found["shape_Maximum3DDiameter"] < 10


def test_a_rectangle_in_a_plane() -> None:
    """Nine features, named after the plane."""
    mask = torch.zeros(9, 12, dtype=torch.bool)
    mask[2:6, 2:10] = True

    found = shape_features(mask, (1.0, 0.5))

    assert len(found) == 9
    assert found["shape2D_PixelSurface"] == 4 * 8 * 0.5
    along_y, along_x = (4**2 - 1) / 12, (8**2 - 1) / 12 * 0.5**2
    assert found["shape2D_Elongation"] == pytest.approx((along_y / along_x) ** 0.5)


def test_a_region_without_a_shape_is_refused() -> None:
    """A single voxel has no axes."""
    mask = torch.zeros(5, 5, 5, dtype=torch.bool)
    mask[2, 2, 2] = True

    with pytest.raises(DataError, match="a mask of 1 voxels has no shape features"):
        shape_features(mask, (1.0, 1.0, 1.0))


def test_pyradiomics_stays_silent(capsys: pytest.CaptureFixture[str]) -> None:
    """And its logger keeps the level that it had."""
    logger = logging.getLogger("radiomics")
    before = logger.level

    shape_features(ball(5.0), (1.0, 1.0, 1.0))

    assert logger.level == before
    written = capsys.readouterr()
    assert (written.out, written.err) == ("", "")
