"""What is refused, and what the message says."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch

from survkit.errors import ConfigError, DataError, MissingExtraError
from survkit.radiomics import (
    FEATURE_CLASSES,
    FEATURE_NAMES,
    RadiomicsSettings,
    patch_features,
    roi_features,
    shape_features,
)

IMAGE, MASK = torch.zeros(6, 6), torch.ones(6, 6, dtype=torch.bool)


def test_the_names_are_93_and_ordered() -> None:
    """18 + 24 + 16 + 16 + 14 + 5, sorted within their class."""
    assert [len(names) for names in FEATURE_CLASSES.values()] == [18, 24, 16, 16, 14, 5]
    assert all(list(names) == sorted(names) for names in FEATURE_CLASSES.values())
    assert len(set(FEATURE_NAMES)) == 93


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bin_count": 32}, "exactly one of bin_width and bin_count .* set the other one to None"),
        ({"bin_width": None}, "exactly one of bin_width and bin_count"),
        ({"bin_width": 0.0}, "bin_width must be a finite number > 0, not 0.0"),
        ({"bin_width": float("nan")}, "bin_width must be a finite number > 0, not nan"),
        ({"bin_width": True}, "bin_width must be a finite number > 0, not True"),
        ({"bin_width": None, "bin_count": 0}, "bin_count must be a whole number from 1 to 65536"),
        ({"bin_width": None, "bin_count": 8.0}, "bin_count must be a whole number .* not 8.0"),
        ({"distance": 0}, "distance must be a whole number >= 1, not 0"),
        ({"gldm_alpha": -1.0}, "gldm_alpha must be a finite number >= 0, not -1.0"),
    ],
)
def test_settings(settings: dict[str, Any], message: str) -> None:
    """A setting that cannot be used never reaches an image."""
    with pytest.raises(ConfigError, match=message):
        RadiomicsSettings(**settings)


def test_the_fingerprint_is_equal_exactly_when_settings_are() -> None:
    """Equal settings written differently share it; each setting changes it."""
    others = [
        RadiomicsSettings(bin_width=20.0),
        RadiomicsSettings(bin_width=None, bin_count=25),
        RadiomicsSettings(distance=2),
        RadiomicsSettings(gldm_alpha=1.0),
    ]

    assert RadiomicsSettings(bin_width=25).fingerprint == RadiomicsSettings().fingerprint
    assert len({each.fingerprint for each in [RadiomicsSettings(), *others]}) == 5


@pytest.mark.parametrize(
    ("images", "patch", "message"),
    [
        (torch.zeros(1, 6, 7), 3, r"multiples of the patch of 3 pixels, not \(1, 6, 7\)"),
        (torch.zeros(6, 6), 3, r"shape \(batch, y, x\)"),
        (torch.zeros(0, 6, 6), 3, r"not \(0, 6, 6\)"),
        (torch.zeros(1, 6, 6), 1, "at least 2 pixels, not 1"),
        (torch.zeros(1, 6, 6, dtype=torch.bool), 3, "integer or floating, not torch.bool"),
    ],
)
def test_images(images: torch.Tensor, patch: int, message: str) -> None:
    """Nothing is cropped, padded or converted."""
    with pytest.raises(DataError, match=message):
        patch_features(images, patch)


def test_a_pixel_that_is_not_finite_is_named() -> None:
    """Image and place."""
    images = torch.zeros(3, 6, 6)
    images[1, 2, 5] = float("inf")

    with pytest.raises(DataError, match=r"pixel \(y, x\) = \(2, 5\) of image 1 is inf"):
        patch_features(images, 3)


@pytest.mark.parametrize(
    ("image", "mask", "spacing", "message"),
    [
        (IMAGE, MASK[:5], (1.0, 1.0), r"one shape, not \(6, 6\) and \(5, 6\)"),
        (IMAGE, MASK.int(), (1.0, 1.0), "bool .* not torch.int32 .* write mask == label"),
        (IMAGE, ~MASK, (1.0, 1.0), "the mask is empty"),
        (IMAGE, MASK, (1.0, 1.0, 1.0), "spacing must be 2 finite numbers"),
        (IMAGE, MASK, (1.0, 0.0), "spacing must be 2 finite numbers"),
        (IMAGE.bool(), MASK, (1.0, 1.0), "integer or floating, not torch.bool"),
        (IMAGE[0], MASK[0], (1.0,), r"shape \(y, x\) or \(z, y, x\)"),
        (IMAGE / 0, MASK, (1.0, 1.0), r"voxel \(0, 0\) is nan \(36 such voxels\)"),
    ],
)
def test_regions(
    image: torch.Tensor, mask: torch.Tensor, spacing: tuple[float, ...], message: str
) -> None:
    """Image, mask and spacing must belong together."""
    with pytest.raises(DataError, match=message):
        roi_features(image, mask, spacing)


def test_a_voxel_that_is_not_finite_is_named_by_its_place_in_the_image() -> None:
    """Not in the box around the mask."""
    image, mask = torch.zeros(4, 5, 6), torch.zeros(4, 5, 6, dtype=torch.bool)
    mask[2:, 3:, 4:] = True
    image[3, 3, 5] = float("nan")

    with pytest.raises(DataError, match=r"voxel \(3, 3, 5\) is nan \(1 such voxels\)"):
        roi_features(image, mask, (1.0, 1.0, 1.0))


@pytest.mark.parametrize("width", [1e-20, 2.0**-60, 5e-324])
def test_a_flat_region_is_one_level_at_any_width(width: float) -> None:
    """Also at one that is lost beside the intensity, and then there is no NaN of a level."""
    fine = RadiomicsSettings(bin_width=width)
    flat = torch.full((1, 8, 8), 100.0)

    assert torch.equal(patch_features(flat, 4, fine), patch_features(flat, 4))


def test_a_width_that_is_lost_beside_the_intensities_is_refused() -> None:
    """Two neighbouring float64 numbers are fewer than 65,536 bins apart, but no bin can be said."""
    image = torch.full((6, 6), 1e9, dtype=torch.float64)
    image[2, 2] += 2.0**-23

    with pytest.raises(DataError, match=r"bins of width 1e-11 from 1e\+09 .* told apart"):
        roi_features(image, MASK, (1.0, 1.0), RadiomicsSettings(bin_width=1e-11))


def test_more_levels_than_fit_the_memory_are_refused() -> None:
    """100 x 100 pixels that all differ: 3 GiB for one copy of the pairs alone."""
    image = torch.arange(10_000).view(100, 100)
    mask = torch.ones(100, 100, dtype=torch.bool)

    with pytest.raises(DataError, match=r"10000 distinct grey levels, .* more than the 5792 whose"):
        roi_features(image, mask, (1.0, 1.0), RadiomicsSettings(bin_width=1.0))


def test_one_voxel_has_what_needs_no_neighbour() -> None:
    """Means and zones are defined; pairs and runs are not."""
    mask = torch.zeros(6, 6, dtype=torch.bool)
    mask[2, 2] = True

    found = dict(zip(FEATURE_NAMES, roi_features(IMAGE, mask, (1.0, 1.0)).tolist(), strict=True))

    undefined = {name for name, value in found.items() if value != value}
    assert undefined == {name for name in found if name.startswith(("glcm_", "glrlm_"))}
    assert found["glszm_ZonePercentage"] == 1.0


def test_shapes_need_pyradiomics(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message is the line that installs it."""
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **named: Any) -> Any:
        if name.partition(".")[0] == "radiomics":
            raise ImportError(f"No module named '{name}'", name=name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(MissingExtraError, match=r"pip install 'survkit-core\[pyradiomics\]'"):
        shape_features(MASK, (1.0, 1.0))


def test_features_of_intensities_need_torch_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither pyradiomics nor SimpleITK is imported for them."""
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **named: Any) -> Any:
        assert name.partition(".")[0] not in ("radiomics", "SimpleITK", "scipy")
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", refuse)

    assert roi_features(IMAGE, MASK, (1.0, 1.0)).isfinite().all()
