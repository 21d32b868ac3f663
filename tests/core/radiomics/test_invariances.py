"""What cannot change a feature, and how it must change where it does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.core.radiomics.pyradiomics_values import assert_equal_features
from torch import Tensor

from survkit.radiomics import FEATURE_NAMES, RadiomicsSettings, patch_features, roi_features

TEXTURE = torch.tensor([not name.startswith("firstorder") for name in FEATURE_NAMES])


def images(count: int = 3, side: int = 48, top: int = 256) -> Tensor:
    """Noise, of which one image is smooth and one has a flat corner."""
    drawn = np.random.default_rng(0).integers(0, top, (3, side, side)).astype(float)
    drawn[0] = np.round(np.cumsum(drawn[0] - (top - 1) / 2, axis=1) / 8)
    drawn[1, :16, :16] = 9.0
    return torch.from_numpy(drawn[:count])


def column(name: str) -> int:
    """Where a feature stands."""
    return FEATURE_NAMES.index(name)


@pytest.mark.parametrize("settings", [RadiomicsSettings(), RadiomicsSettings(bin_width=1.0)])
def test_company_changes_nothing(settings: RadiomicsSettings) -> None:
    """A patch alone, with an image, and beside a patch of 256 levels: equal to 1e-12."""
    every = images()

    together = patch_features(every, 16, settings)

    for image in range(3):
        for patch in range(9):
            row, col = divmod(patch, 3)
            alone = every[image : image + 1, 16 * row : 16 * row + 16, 16 * col : 16 * col + 16]
            torch.testing.assert_close(
                patch_features(alone, 16, settings)[0, 0],
                together[image, patch],
                rtol=1e-12,
                atol=1e-12,
                equal_nan=True,
            )


def test_the_same_call_gives_the_same_bits() -> None:
    """Nothing is added in an order that may change."""
    assert torch.equal(patch_features(images(), 16), patch_features(images(), 16))


def test_groups_that_fit_the_memory_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut finely, by pixels and by cells of matrices, all values stay where they belong."""
    whole = patch_features(images(), 16, RadiomicsSettings(bin_width=1.0))

    monkeypatch.setattr("survkit.radiomics.patches.VOXELS", 5 * 16**2)
    monkeypatch.setattr("survkit.radiomics.region_features.CELLS", 4 * 120**2)
    cut = patch_features(images(), 16, RadiomicsSettings(bin_width=1.0))

    torch.testing.assert_close(cut, whole, rtol=1e-12, atol=1e-12)


def test_directions_one_after_the_other_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where a single region has so many levels that one matrix fills the memory."""
    random = np.random.default_rng(3)
    image = torch.from_numpy(random.integers(0, 900, (5, 6, 7)))
    mask = torch.from_numpy(random.random((5, 6, 7)) < 0.7)
    settings = RadiomicsSettings(bin_width=1.0)

    together = roi_features(image, mask, (1.0, 1.0, 1.0), settings)
    monkeypatch.setattr("survkit.radiomics.glcm.CELLS", 1)
    apart = roi_features(image, mask, (1.0, 1.0, 1.0), settings)

    torch.testing.assert_close(apart, together, rtol=1e-12, atol=1e-12)


def test_a_patch_is_a_region_with_a_full_mask() -> None:
    """The two ways in agree, and patches are numbered row by row."""
    image = images()[2]

    of_patches = patch_features(image[None], 16)[0]

    for patch in range(9):
        mask = torch.zeros(48, 48, dtype=torch.bool)
        row, col = divmod(patch, 3)
        mask[16 * row : 16 * row + 16, 16 * col : 16 * col + 16] = True
        torch.testing.assert_close(
            roi_features(image, mask, (1.0, 1.0)), of_patches[patch], rtol=1e-12, atol=1e-12
        )


@pytest.mark.parametrize("axes", [(1, 0, 2), (2, 0, 1), (0, 2, 1)], ids=str)
def test_axes_may_change_places(axes: tuple[int, int, int]) -> None:
    """The directions of a box are those of the turned box."""
    random = np.random.default_rng(1)
    image = torch.from_numpy(random.integers(0, 300, (6, 8, 9)))
    mask = torch.from_numpy(random.random((6, 8, 9)) < 0.6)

    turned = roi_features(image.permute(axes), mask.permute(axes), (1.0, 1.0, 1.0))

    assert_equal_features(turned, roi_features(image, mask, (1.0, 1.0, 1.0)), relative=1e-11)


@pytest.mark.parametrize("turn", ["transposed", "mirrored", "rotated"])
def test_a_patch_may_be_turned(turn: str) -> None:
    """All 93 are means over directions that turning only exchanges."""
    image = images(1, 24)
    turned = {
        "transposed": image.mT,
        "mirrored": image.flip(-1),
        "rotated": image.rot90(dims=(1, 2)),
    }[turn]

    assert_equal_features(
        patch_features(turned, 24)[0, 0], patch_features(image, 24)[0, 0], relative=1e-11
    )


def test_whole_bins_more_change_no_texture() -> None:
    """Levels begin at the region's minimum; of the intensities the mean moves, not the spread."""
    image = images(1, 24)

    before = patch_features(image, 24)[0, 0]
    after = patch_features(image + 75.0, 24)[0, 0]

    assert torch.equal(after[TEXTURE], before[TEXTURE])
    assert after[column("firstorder_Mean")] == pytest.approx(before[column("firstorder_Mean")] + 75)
    assert after[column("firstorder_Variance")] == pytest.approx(
        before[column("firstorder_Variance")]
    )


def test_with_a_number_of_bins_the_scale_is_free() -> None:
    """Bins between minimum and maximum move and stretch with the intensities."""
    image, settings = images(1, 24), RadiomicsSettings(bin_width=None, bin_count=32)

    before = patch_features(image, 24, settings)[0, 0]
    after = patch_features(image * 4.0 - 512.0, 24, settings)[0, 0]

    assert torch.equal(after[TEXTURE], before[TEXTURE])


def test_what_lies_outside_the_mask_is_never_seen() -> None:
    """Not even what is not finite there."""
    random = np.random.default_rng(2)
    image = torch.from_numpy(random.random((5, 7, 8)) * 200)
    mask = torch.from_numpy(random.random((5, 7, 8)) < 0.5)
    other = torch.where(mask, image, torch.nan)

    expected = roi_features(image, mask, (1.0, 1.0, 1.0))

    assert torch.equal(roi_features(other, mask, (1.0, 1.0, 1.0)), expected)


def test_only_the_total_energy_knows_the_spacing() -> None:
    """Energy times the volume of a voxel."""
    image, mask = images(1, 12)[0], torch.ones(12, 12, dtype=torch.bool)

    fine, coarse = (roi_features(image, mask, (mm, 2.0)) for mm in (1.0, 3.0))

    total = column("firstorder_TotalEnergy")
    assert float(coarse[total]) == pytest.approx(3 * float(fine[total]))
    assert float(fine[total]) == pytest.approx(2 * float(fine[column("firstorder_Energy")]))
    others = torch.arange(93) != total
    assert torch.equal(coarse[others], fine[others])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.float32])
def test_the_dtype_of_the_pixels_does_not_matter(dtype: torch.dtype) -> None:
    """Whole numbers are the same numbers in each."""
    image = images(2, 16, 128)[1:].round()

    assert torch.equal(patch_features(image.to(dtype), 16), patch_features(image, 16))


def test_no_gradient_flows() -> None:
    """Levels are whole numbers; an image that asks for gradients is read all the same."""
    image = images(1, 16)

    found = patch_features(image.clone().requires_grad_(), 16)

    assert not found.requires_grad
    assert torch.equal(found, patch_features(image, 16))


def test_a_flat_patch() -> None:
    """One level, one zone: the values that the definitions, or their limits, give."""
    found = dict(
        zip(FEATURE_NAMES, patch_features(torch.full((1, 8, 8), 60), 8)[0, 0].tolist(), strict=True)
    )

    assert not any(np.isnan(value) for value in found.values())
    ones = [f"glcm_{name}" for name in ("Correlation", "MCC", "JointEnergy", "Id")]
    zeros = [f"glcm_{name}" for name in ("Imc1", "Imc2", "Contrast", "ClusterShade")]
    zeros += [f"ngtdm_{name}" for name in ("Busyness", "Contrast", "Complexity", "Strength")]
    zeros += ["firstorder_Skewness", "firstorder_Kurtosis"]
    assert [found[name] for name in ones] == [1.0] * len(ones)
    assert [found[name] for name in zeros] == [0.0] * len(zeros)
    assert found["ngtdm_Coarseness"] == 1e6
    assert found["glszm_LargeAreaEmphasis"] == 64.0**2
    assert found["glszm_ZonePercentage"] == 1 / 64
