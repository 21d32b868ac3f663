"""The images against the truth they are drawn from."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from survkit.phantom import PhantomConfig, generate_phantom
from survkit.phantom.anatomy import FIELD_OF_VIEW, Ellipsoid, Grid, filled, lung_mask
from survkit.phantom.chest_xray import ATTENUATION, BRIGHTEST, project, project_mask, to_gray
from survkit.phantom.pet import LUNG, draw_pet
from survkit.phantom.streams import stream
from survkit.phantom.thorax_ct import draw_ct, lesion_mask

ALL = ("ct", "pet", "cxr", "clinical")


@pytest.mark.parametrize("size", [16, 32, 48])
def test_lesions_lie_in_a_lung(size: int) -> None:
    """Every voxel of every lesion is a voxel of a lung, and no lesion is empty."""
    phantom = generate_phantom(PhantomConfig(subjects=60, size=size))
    grid = phantom.grid

    for subject in range(len(phantom)):
        lesion = lesion_mask(grid, phantom.lesion(subject))
        assert lesion.any()
        assert not (lesion & ~lung_mask(grid, phantom.places[subject].build)).any()


def test_places_do_not_tell_the_size() -> None:
    """Height, depth and side of the lesion say nothing of its volume, and vary by centimetres."""
    phantom = generate_phantom(PhantomConfig(subjects=1500, size=16))
    centers = np.array([place.center for place in phantom.places])
    radius = np.linalg.norm(centers - np.sign(centers[:, 2:]) * [0, 0, 72], axis=1)

    for coordinate in (*np.abs(centers).T, radius):
        assert abs(np.corrcoef(coordinate, phantom.factors.volume)[0, 1]) < 0.08
    assert centers[:, 0].std() > 15
    assert 0.1 < (centers[:, 2] > 0).mean() < 0.6


def test_lesions_are_bright_in_ct_and_pet() -> None:
    """Within the lungs the lesion is denser than the rest, and its core takes up more than it."""
    phantom = generate_phantom(PhantomConfig(subjects=30, size=32))

    for subject in range(len(phantom)):
        images = phantom.images(subject)
        assert images.ct is not None
        assert images.pet is not None
        lung = lung_mask(phantom.grid, phantom.places[subject].build) & ~images.lesion
        assert images.ct[images.lesion].mean() > np.median(images.ct[lung]) + 600
        assert images.lesion[np.unravel_index(images.pet.argmax(), images.pet.shape)]


def test_mask_has_the_volume_of_the_lesion() -> None:
    """Voxels times their volume equal the ball's volume on average, within a per cent."""
    phantom = generate_phantom(PhantomConfig(subjects=60, size=48))
    grid = phantom.grid
    voxels = [lesion_mask(grid, phantom.lesion(i)).sum() for i in range(len(phantom))]

    assert np.mean(voxels) * grid.spacing**3 == pytest.approx(
        phantom.factors.volume.mean(), rel=0.01
    )


def test_soft_edges_keep_the_volume() -> None:
    """The filled shares of a ball add up to the integral of its linear edge."""
    grid = Grid(32)
    for shift in (0.0, 2.5, 5.0):
        _, share = filled(grid, Ellipsoid((shift, 0, 0), (35, 35, 35)))

        with_edge = 4 / 3 * np.pi * (35**3 + 35 * grid.spacing**2 / 4)
        assert share.sum() * grid.spacing**3 == pytest.approx(with_edge, rel=0.02)


def test_pet_activity_depends_on_uptake_not_on_size() -> None:
    """What a lesion adds to the PET is its uptake times one volume, for small and large lesions."""
    phantom = generate_phantom(PhantomConfig(subjects=40, size=32))
    added = np.empty(len(phantom))
    for subject in range(len(phantom)):
        lesion = phantom.lesion(subject)
        cold = replace(lesion, uptake=LUNG)
        added[subject] = (draw_pet(phantom.grid, lesion) - draw_pet(phantom.grid, cold)).sum()

    per_uptake = added / (phantom.factors.uptake - LUNG)
    np.testing.assert_allclose(per_uptake, per_uptake.mean(), rtol=0.1)
    assert abs(np.corrcoef(per_uptake, phantom.factors.volume)[0, 1]) < 0.35


def test_tissues_have_their_densities() -> None:
    """Air, lung and muscle of the noise-free CT have the Hounsfield units of textbooks."""
    phantom = generate_phantom(PhantomConfig(subjects=1, size=64))
    lesion = phantom.lesion(0)
    volume = draw_ct(phantom.grid, lesion, stream(0, "ct", 0))
    lung = lung_mask(phantom.grid, lesion.place.build) & ~lesion_mask(phantom.grid, lesion)

    assert volume[0, 0, 0] == -1000
    assert np.median(volume[lung]) == pytest.approx(-800, abs=1)
    assert 20 < np.median(volume[(volume > -50) & (volume < 100)]) < 60


def test_projection_is_the_sum_along_the_rays() -> None:
    """Each pixel is the line integral of the attenuation; the head is on top."""
    ct = np.random.default_rng(0).uniform(-1000, 500, (4, 5, 6)).astype(np.float32)
    picture = project(ct, 2.0)

    by_hand = sum((1 + ct[3, y, 1] / 1000) * ATTENUATION * 2.0 for y in range(5))
    assert picture.shape == (4, 6)
    assert picture[0, 1] == pytest.approx(by_hand, rel=1e-5)


def test_the_mask_lies_where_the_lesion_changes_the_cxr() -> None:
    """Drawn with and without its texture, an X-ray differs within the shadow of the lesion; beyond
    it only along the edge of a voxel that the ball takes a part of.
    """
    phantom = generate_phantom(PhantomConfig(subjects=8, size=64))
    for subject in range(len(phantom)):
        lesion = replace(phantom.lesion(subject), texture=1.0)
        smooth = replace(lesion, texture=0.0)
        pictures = [
            project(draw_ct(phantom.grid, item, stream(0, "ct", subject)), phantom.grid.spacing)
            for item in (lesion, smooth)
        ]
        changed = np.abs(pictures[0] - pictures[1]) > 1e-3
        shadow = project_mask(lesion_mask(phantom.grid, lesion))

        assert changed[shadow].mean() > 0.98
        assert not (changed & ~binary_dilation(shadow, np.ones((3, 3)))).any()


def test_air_casts_no_shadow_and_white_is_the_end_of_the_scale() -> None:
    """Air is black, what is beyond the scale is white."""
    assert not project(np.full((2, 2, 2), -1000, dtype=np.float32), 1.0).any()
    assert to_gray(np.array([[0, BRIGHTEST, 2 * BRIGHTEST]], dtype=np.float32)).tolist() == [
        [0, 65535, 65535]
    ]


@pytest.mark.parametrize("size", [16, 40])
def test_shapes_and_types(size: int) -> None:
    """Smoke: every image has the size asked for and values in its range."""
    images = generate_phantom(PhantomConfig(subjects=1, size=size, modalities=ALL)).images(0)

    assert images.ct is not None
    assert images.pet is not None
    assert images.cxr is not None
    assert images.ct.shape == images.pet.shape == images.lesion.shape == (size,) * 3
    assert images.cxr.shape == (size, size)
    for array in (images.ct, images.pet, images.cxr):
        assert array.dtype == np.float32
        assert np.isfinite(array).all()
    assert images.ct.min() >= -1024
    assert images.pet.min() >= 0
    assert Grid(size).spacing * size == FIELD_OF_VIEW
