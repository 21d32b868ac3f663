"""Windows by percentile, and peaks: the image's own, and refused where they mean nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from tests.core.data.painted_petct import (
    PET_GRID,
    painted,
    plane,
    sample,
    spot,
)

from survkit.errors import ConfigError, DataError


def test_a_percentile_is_the_images_own(petct: Any) -> None:
    """[0, "p99.9"] maps 0 to -1 and the percentile of the box, without its padding, to 1."""
    plain = petct.config["modalities"]["pet"] | {"pad": -7.0}
    petct.config["modalities"]["ct"]["size"] = [40, 9, 10]
    petct.config["modalities"]["pet"] = plain
    values = sample(petct.read(), "pet").values.numpy()
    seen = values[values != -7.0]
    assert 0 < len(seen) < values.size
    top = np.percentile(seen, 99.9)
    petct.config["modalities"]["pet"] = {**plain, "window": [0, "p99.9"]}
    windowed = sample(petct.read(), "pet").values.numpy()

    expected = np.clip(values, 0, top) / top * 2 - 1
    np.testing.assert_allclose(windowed, expected, atol=1e-5)
    assert windowed.max() == 1


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (["p99", "p1"], "from a smaller to a larger value"),
        (["0", 5], "an end is a number or a percentile such as"),
        ([0, "p101"], "an end is a number or a percentile"),
        ([0, "99.9"], "an end is a number or a percentile"),
    ],
)
def test_a_window_that_means_nothing_is_refused(
    petct: Any, window: list[Any], message: str
) -> None:
    """Percentiles are written as p and a number up to 100, in rising order."""
    petct.config["modalities"]["pet"]["window"] = window

    with pytest.raises(ConfigError, match=message):
        petct.read()


def test_an_image_of_zeros_is_refused(petct: Any) -> None:
    """With or without a window; a percentile window that is empty in one image is named."""
    blank = painted(*PET_GRID, lambda x, y, z: 0.0 * (x + y + z))
    sitk.WriteImage(blank, str(petct.folder / "pet.nii.gz"))
    with pytest.raises(DataError, match=r"every intensity of the prepared volume is 0, so it"):
        sample(petct.read(), "pet")

    sitk.WriteImage(painted(*PET_GRID, spot), str(petct.folder / "pet.nii.gz"))
    petct.config["modalities"]["pet"]["window"] = [20, "p99.9"]
    with pytest.raises(DataError, match=r"the window \[20\.0, p99\.9\] is empty: it is from 20 to"):
        sample(petct.read(), "pet")


def test_a_peak_needs_one_channel(petct: Any) -> None:
    """Two channels have no common brightness."""
    both = sitk.Compose([painted(*PET_GRID, spot), painted(*PET_GRID, plane)])
    sitk.WriteImage(both, str(petct.folder / "pet.nrrd"))
    for row in petct.rows:
        row["pet"] = "pet.nrrd"
    petct.config["modalities"]["pet"] = {
        "kind": "volume", "path": "pet", "size": [9, 9, 9], "crop": "peak",
    }  # fmt: skip
    with pytest.raises(DataError, match="crop: peak is sought in one channel, but the volume has"):
        sample(petct.read(), "pet")

    petct.config["modalities"]["pet"]["channel"] = 0
    assert sample(petct.read(), "pet").values.shape == (1, 9, 9, 9)


def test_a_peak_at_the_rim_is_inside(petct: Any) -> None:
    """The brightest place may be the first voxel; the box then reaches beyond the image."""
    rim = painted(*PET_GRID, lambda x, y, z: 900.0 - x - y - z)
    sitk.WriteImage(rim, str(petct.folder / "pet.nii.gz"))
    petct.config["modalities"]["pet"] = {
        "kind": "volume", "path": "pet", "size": [5, 5, 5], "spacing": [9, 9, 9], "crop": "peak",
        "pad": -1.0,
    }  # fmt: skip
    pet = sample(petct.read(), "pet").values[0]

    assert (pet[:2] == -1).all()
    assert np.unravel_index(int(pet.argmax()), pet.shape) == (2, 2, 2)


def test_corruptions_know_that_a_percentile_window_ends_at_one(petct: Any) -> None:
    """The noise of a stress test is a share of -1 to 1, as with a window in numbers."""
    from survkit.stress.corrupted_input import read_samples

    petct.config["modalities"]["pet"]["window"] = [0, "p99.9"]
    cohort = petct.read()
    spec = cohort.input_spec("pet", [0])

    assert [s.intensity_range for s in read_samples(cohort, "pet", [0], spec) if s] == [(-1.0, 1.0)]
    assert [s.intensity_range for s in read_samples(cohort, "ct", [0], spec) if s] == [None]
