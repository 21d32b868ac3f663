"""All 93 features equal pyradiomics', over textures, bins, forms of regions and a real X-ray."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from tests.core.radiomics.pyradiomics_values import assert_equal_features, pyradiomics_values

from survkit.radiomics import FEATURE_NAMES, RadiomicsSettings, patch_features, roi_features

BINS = [
    RadiomicsSettings(),
    RadiomicsSettings(bin_width=7.3),
    RadiomicsSettings(bin_width=None, bin_count=16),
    RadiomicsSettings(bin_width=None, bin_count=5),
]

Draw = Callable[[np.random.Generator], np.ndarray]


def one_pixel(random: np.random.Generator) -> np.ndarray:
    """A flat patch but for one pixel."""
    texture = np.full((12, 12), 40)
    texture[3, 7] = 200
    return texture


TEXTURES: dict[str, Draw] = {
    "noise": lambda random: random.integers(0, 256, (16, 16)),
    "smooth": lambda random: gaussian_filter(random.random((32, 32)), 3) * 2000,
    "steps": lambda random: np.floor(gaussian_filter(random.random((24, 24)), 2) * 30) * 10,
    "flat": lambda random: np.full((9, 9), 77),
    "flat, no whole number": lambda random: np.full((9, 9), 0.1),
    "two levels": lambda random: random.integers(0, 2, (11, 11)) * 100,
    "checkerboard": lambda random: np.indices((8, 8)).sum(axis=0) % 2 * 60,
    "one pixel": one_pixel,
    "negative": lambda random: random.normal(-50, 60, (12, 12)),
    "on the edges": lambda random: random.integers(-4, 5, (10, 10)) * 25.0,
    "16 bit": lambda random: random.integers(30_000, 36_000, (14, 14)),
    "12 bit, smooth": lambda random: np.round(gaussian_filter(random.random((20, 20)), 2) * 4095),
    "smallest": lambda random: random.integers(0, 256, (2, 2)),
}


@pytest.mark.parametrize("settings", BINS, ids=lambda settings: settings.fingerprint)
@pytest.mark.parametrize("texture", TEXTURES)
def test_patches(texture: str, settings: RadiomicsSettings) -> None:
    """Each patch is a region with a full mask and the 4 directions of a plane.

    The mean of a flat patch of 0.1 rounds, and pyradiomics divides rounding by rounding; here a
    patch is flat where its values are equal.
    """
    patch = TEXTURES[texture](np.random.default_rng(0))
    rounding = texture == "flat, no whole number"

    ours = patch_features(torch.from_numpy(patch)[None], len(patch), settings)[0, 0]

    without = ["firstorder_Skewness", "firstorder_Kurtosis"] if rounding else []
    assert_equal_features(ours, pyradiomics_values(patch, settings=settings), without=without)


FORMS = {
    "half of a plane": ((11, 13), 0.5),
    "few pixels": ((10, 12), 0.12),
    "most of a plane": ((9, 14), 0.95),
    "half of a volume": ((7, 9, 8), 0.5),
    "few voxels": ((7, 9, 8), 0.08),
    "full volume": ((4, 6, 5), 1.1),
}


@pytest.mark.parametrize("settings", [BINS[0], BINS[2]], ids=lambda each: each.fingerprint)
@pytest.mark.parametrize("form", FORMS)
def test_regions_of_any_form(form: str, settings: RadiomicsSettings) -> None:
    """Random masks are irregular and disconnected; only their voxels enter."""
    shape, share = FORMS[form]
    random = np.random.default_rng(1)
    image, mask = random.integers(-100, 300, shape), random.random(shape) < share
    spacing = (2.5, 0.7, 0.9)[-len(shape) :]

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), spacing, settings)

    assert_equal_features(ours, pyradiomics_values(image, mask, spacing, settings))


@pytest.mark.parametrize("shape", [(12, 13), (7, 8, 9)], ids=["plane", "volume"])
def test_farther_neighbours_and_looser_dependence(shape: tuple[int, ...]) -> None:
    """Neighbours at exactly distance 2, of at most one level more or less."""
    random = np.random.default_rng(2)
    image, mask = random.integers(0, 300, shape), random.random(shape) < 0.7
    settings = RadiomicsSettings(distance=2, gldm_alpha=1.0)
    spacing = (1.0,) * len(shape)

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), spacing, settings)

    assert_equal_features(ours, pyradiomics_values(image, mask, spacing, settings))


LINES = {
    "row": [(2, 0), (2, 1), (2, 2), (2, 3)],
    "diagonal": [(0, 0), (1, 1), (2, 2), (3, 3), (4, 4)],
    "two lines with a gap": [(0, 0), (0, 1), (4, 0), (4, 1)],
    "three on a line, one beside": [(0, 0), (1, 1), (2, 2), (4, 0)],
}


@pytest.mark.parametrize("flat", [True, False], ids=["flat", "varied"])
@pytest.mark.parametrize("line", LINES)
def test_thin_regions(line: str, flat: bool) -> None:
    """Directions without a pair, or without a line of two voxels, do not count."""
    image = np.full((5, 5), 30) if flat else np.random.default_rng(3).integers(0, 200, (5, 5))
    mask = np.zeros((5, 5), dtype=bool)
    mask[tuple(np.transpose(LINES[line]))] = True

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), (1.0, 1.0))

    assert_equal_features(ours, pyradiomics_values(image, mask))


def test_a_slice_of_a_volume_is_a_plane() -> None:
    """A mask in one slice has 4 directions, in pyradiomics and here."""
    image = np.random.default_rng(4).integers(0, 300, (5, 8, 9))
    mask = np.zeros(image.shape, dtype=bool)
    mask[2, 1:7, 2:] = True

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), (3.0, 1.0, 1.0))

    assert_equal_features(ours, pyradiomics_values(image, mask, (3.0, 1.0, 1.0)))


def test_regions_without_neighbours_are_nan_where_pairs_are_needed() -> None:
    """Two pixels a knight's move apart: no pair, no line of two; pyradiomics agrees but for MCC.

    There a region of one level has an MCC of 1 even without a pair; here all of the class is NaN.
    """
    image, mask = np.full((5, 5), 7), np.zeros((5, 5), dtype=bool)
    mask[0, 0] = mask[1, 2] = True

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), (1.0, 1.0))

    assert_equal_features(ours, pyradiomics_values(image, mask), without=["glcm_MCC"])
    undefined = {name for name, value in zip(FEATURE_NAMES, ours, strict=True) if value.isnan()}
    assert undefined == {name for name in FEATURE_NAMES if name.startswith(("glcm_", "glrlm_"))}


def test_two_voxels_have_no_robust_deviation() -> None:
    """Both lie outside their 10th to 90th percentile."""
    image, mask = np.arange(16).reshape(4, 4) * 9, np.zeros((4, 4), dtype=bool)
    mask[1, 1:3] = True

    ours = roi_features(torch.from_numpy(image), torch.from_numpy(mask), (1.0, 1.0))

    assert_equal_features(ours, pyradiomics_values(image, mask))
    assert ours[FEATURE_NAMES.index("firstorder_RobustMeanAbsoluteDeviation")].isnan()


@pytest.mark.parametrize("settings", [BINS[0], BINS[2]], ids=lambda each: each.fingerprint)
def test_a_real_chest_x_ray(settings: RadiomicsSettings, shared_data: Path) -> None:
    """Patches of a radiograph: lung, bone, tags and the black beside the patient."""
    image_module = pytest.importorskip("PIL.Image")
    folder = shared_data / "covid-cxr-hannover" / "images"
    pixels = np.array(image_module.open(sorted(folder.iterdir())[0]))[:320, :320]

    ours = patch_features(torch.from_numpy(pixels)[None], 32, settings)[0]

    for number in range(0, 100, 7):
        row, column = divmod(number, 10)
        patch = pixels[32 * row : 32 * row + 32, 32 * column : 32 * column + 32]
        assert_equal_features(ours[number], pyradiomics_values(patch, settings=settings))
