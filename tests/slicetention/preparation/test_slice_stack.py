"""A CT becomes the stack of slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from numpy.typing import NDArray

from survkit.data.readers.grid import grid_of, on_grid, respaced
from survkit.errors import ConfigError, DataError
from survkit_slicetention.preparation.axis_resampling import (
    along,
    nearest,
    positions,
    resampling,
    resizing,
)
from survkit_slicetention.preparation.lung_slices import lung_box, lung_slices
from survkit_slicetention.preparation.slice_stack import StackSettings, region_share, slice_stack

GIVEN = StackSettings(lung_mask="given", size=64)


def resampled(image: Any, spacing: Any, interpolation: str) -> Any:
    """Return the image at a spacing [z, y, x], as the reader of volumes resamples it."""
    return on_grid(image, respaced(grid_of(image), spacing), interpolation)


def image_of(volume: NDArray[Any], spacing: tuple[float, float, float]) -> Any:
    """The volume as SimpleITK has it."""
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing(spacing[::-1])
    return image


@pytest.mark.parametrize("interpolation", ["linear", "bspline"])
@pytest.mark.parametrize("new", [(3.0, 1.0, 1.0), (1.0, 2.0, 0.7)])
def test_resampling_agrees_with_simpleitk(interpolation: Any, new: Any) -> None:
    """To a thousandth of the SD of white noise, at the rim as well."""
    spacing = (2.5, 1.3, 0.9)
    volume = np.random.default_rng(0).normal(size=(14, 33, 41)).astype(np.float32)
    expected = sitk.GetArrayFromImage(resampled(image_of(volume, spacing), new, interpolation))

    actual = torch.from_numpy(volume)
    for axis, (length, old, edge) in enumerate(zip(volume.shape, spacing, new, strict=True)):
        matrix = resampling(positions(length, old, edge), length, interpolation)
        actual = along(actual, axis, matrix)

    np.testing.assert_allclose(actual, expected, atol=2e-5)


def test_a_spline_goes_through_the_voxels_and_keeps_a_cubic() -> None:
    """At the same spacing nothing changes; far from the ends a cubic is met exactly."""
    np.testing.assert_allclose(resampling(np.arange(9.0), 9, "bspline"), np.eye(9), atol=1e-12)
    places = np.linspace(40, 60, 7)

    values = resampling(places, 101, "bspline") @ (np.arange(101.0) - 50) ** 3

    np.testing.assert_allclose(values, (places - 50) ** 3, atol=1e-6)


def test_one_slice_is_the_same_everywhere() -> None:
    """There is nothing to interpolate between."""
    np.testing.assert_array_equal(resampling(positions(1, 5.0, 1.0), 1, "bspline"), np.ones((5, 1)))


def test_resizing_keeps_constants_and_averages_when_it_shrinks() -> None:
    """Antialiased: every pixel has its part in the result."""
    matrix = resizing(90, 30)

    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-12)
    assert (matrix.sum(axis=0) > 0.2).all()


def test_the_stack_is_resample_cut_and_resize_of_the_whole_volume(chest: Any) -> None:
    """What is cut away is never computed, and that changes nothing."""
    spacing, new = chest.spacing, (5.0, 1.5, 1.5)
    settings = StackSettings(lung_mask="given", size=48, spacing=new)
    whole = sitk.GetArrayFromImage(resampled(image_of(chest.volume, spacing), new, "bspline"))
    mask = sitk.GetArrayFromImage(
        resampled(image_of(chest.lungs.astype(np.uint8), spacing), new, "nearest")
    ).astype(bool)
    kept = lung_slices(mask)
    rows, columns = lung_box(mask[kept])
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(whole[kept, rows, columns])[:, None],
        size=(48, 48),
        mode="bilinear",
        antialias=True,
    )[:, 0]

    actual = slice_stack(
        torch.from_numpy(chest.volume)[None], spacing, torch.from_numpy(chest.lungs), settings
    )

    assert actual.dtype == torch.float32
    torch.testing.assert_close(actual, expected, atol=0.01, rtol=0)


def test_the_built_in_lungs_give_the_slices_of_the_true_ones(chest: Any) -> None:
    """The default settings: 224 x 224, every 3 mm; the box is met to a pixel or two."""
    values = torch.from_numpy(chest.volume)[None]

    found = slice_stack(values, chest.spacing, None)
    true = slice_stack(
        values, chest.spacing, torch.from_numpy(chest.lungs), StackSettings(lung_mask="given")
    )

    assert found.shape[1:] == (224, 224)
    assert abs(len(found) - len(true)) <= 1
    assert float((found.mean(dim=0) - true.mean(dim=0)).abs().mean()) < 25


def test_slice_0_is_the_most_caudal(chest: Any) -> None:
    """A bright ball near the lungs' base is seen in the first slices."""
    volume = chest.volume.copy()
    low = int(np.flatnonzero(chest.lungs.any(axis=(1, 2)))[0]) + 4
    volume[low : low + 2, 40:47, 60:74] = 2000

    stack = slice_stack(
        torch.from_numpy(volume)[None], chest.spacing, torch.from_numpy(chest.lungs), GIVEN
    )

    assert int(stack.flatten(1).amax(dim=1).argmax()) < len(stack) / 3


def test_without_a_mask_whole_slices_are_kept(chest: Any) -> None:
    """All of them: the length is the extent over the spacing."""
    settings = StackSettings(lung_mask="none", size=32, spacing=(6.0, 2.0, 2.0))

    stack = slice_stack(torch.from_numpy(chest.volume)[None], chest.spacing, None, settings)

    assert stack.shape == (44, 32, 32)


def test_a_step_overshoots_and_is_not_clipped(chest: Any) -> None:
    """B-splines ring at edges; raw HU keep that, as is said."""
    volume = np.clip(chest.volume, -1000, 400)
    mask = torch.from_numpy(chest.lungs)
    settings = StackSettings(lung_mask="given", spacing=(3.0, 0.7, 0.7), least_lung=0.001)

    stack = slice_stack(torch.from_numpy(volume)[None], chest.spacing, mask, settings)

    assert float(stack.max()) > 400 + 20


def test_the_source_is_named(chest: Any) -> None:
    """Which of 415 scans it was."""
    with pytest.raises(DataError, match=r"^scans/LUNG1-014: .*the subject has none"):
        slice_stack(
            torch.from_numpy(chest.volume)[None], chest.spacing, None, GIVEN, "scans/LUNG1-014"
        )


def test_a_mask_that_is_no_lung_has_too_little_area(chest: Any) -> None:
    """A tumour's mask by mistake."""
    mask = torch.zeros(chest.volume.shape, dtype=torch.bool)
    mask[30:34, 40:46, 40:46] = True

    with pytest.raises(DataError, match=r"no slice has a lung area of at least 2.00%"):
        slice_stack(torch.from_numpy(chest.volume)[None], chest.spacing, mask, GIVEN)


def test_other_than_one_channel_is_refused(chest: Any) -> None:
    """CT and PET side by side are two modalities."""
    values = torch.from_numpy(chest.volume)
    for wrong in (values, values.expand(2, *values.shape)):
        with pytest.raises(DataError, match=r"one channel \(1, z, y, x\)"):
            slice_stack(wrong, chest.spacing, None)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"spacing": (3.0, 1.0)}, "three edges above 0 mm"),
        ({"spacing": (3.0, 0.0, 1.0)}, "three edges above 0 mm"),
        ({"size": 0}, "whole number from 1, not 0"),
        ({"size": 224.0}, "whole number from 1, not 224.0"),
        ({"lung_mask": "unet"}, "lung_mask is one of threshold, lungmask, given, none"),
        ({"interpolation": "cubic"}, "interpolation is one of bspline, linear, not 'cubic'"),
        ({"least_lung": 2.0}, "share from 0 to 1"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    """When they are written, before any scan is read."""
    with pytest.raises(ConfigError, match=message):
        StackSettings(**settings)


def test_the_scan_of_a_patient(shared_data: Path) -> None:
    """LUNG1-001: the paper has 72 slices per scan on average; the lungs fill the box."""
    image = sitk.ReadImage(str(shared_data / "ct-lung1-001" / "ct.nii.gz"))
    values = torch.from_numpy(sitk.GetArrayFromImage(image).astype(np.float32))[None]

    stack = slice_stack(values, image.GetSpacing()[::-1], None)

    assert 65 <= len(stack) <= 90
    assert float((stack < -500).float().mean()) > 0.25
    assert nearest(np.array([-0.5, 0.5, 2.4]), 3).tolist() == [0, 1, 2]


def test_the_share_of_a_region_is_that_of_the_slices_kept() -> None:
    """A region on whole old slices: the new ones of the same place are covered, the rest not."""
    values = torch.full((1, 12, 40, 40), -800.0)
    values[..., :8] = 40.0
    values[..., -1:] = -1000.0
    lungs = torch.ones(12, 40, 40, dtype=torch.bool)
    settings = StackSettings(lung_mask="none", size=16, spacing=(1.5, 1.0, 1.0))
    region = torch.zeros_like(lungs)
    region[4:6, :, :20] = True  # half of every slice between 12 and 18 mm

    share = region_share(values, (3.0, 1.0, 1.0), region, settings)

    assert len(share) == len(slice_stack(values, (3.0, 1.0, 1.0), None, settings)) == 24
    torch.testing.assert_close(share[9:11], torch.full((2,), 0.5), atol=1e-3, rtol=0)
    assert not bool(share[:7].any())
    assert not bool(share[13:].any())
    torch.testing.assert_close(
        share.sum(), torch.tensor(0.5 * 4), atol=0.02, rtol=0
    )  # as much of it as before
