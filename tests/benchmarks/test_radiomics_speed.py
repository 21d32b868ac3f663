"""Radiomics of all patches at once against pyradiomics patch by patch: equal values, one thread."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import process_time

import numpy as np
import pytest
import torch
from tests.core.radiomics.pyradiomics_values import (
    assert_equal_features,
    extractor,
    in_our_order,
)
from torch import Tensor

from survkit.radiomics import RadiomicsSettings, patch_features

pytestmark = pytest.mark.benchmark

PATCH, SIDE = 32, 384
TARGET = 20.0
SETTINGS = {
    "width 25": RadiomicsSettings(),
    "32 bins": RadiomicsSettings(bin_width=None, bin_count=32),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def x_ray(shared_data: Path) -> np.ndarray:
    """A real chest X-ray, whole; its shorter side is filled with what lies beside the patient."""
    opened = pytest.importorskip("PIL.Image")
    folder = shared_data / "covid-cxr-hannover" / "images"
    pixels = np.array(opened.open(sorted(folder.iterdir())[0]))
    missing = [(0, SIDE - side) for side in pixels.shape]
    return np.pad(pixels, missing, mode="reflect")


def one_by_one(image: np.ndarray, settings: RadiomicsSettings) -> Callable[[], list[Tensor]]:
    """Return pyradiomics over all patches: one extractor, all 93 features, its log off."""
    import SimpleITK

    made = extractor(settings, plane=True)
    label = SimpleITK.GetImageFromArray(np.ones((1, PATCH, PATCH), dtype=np.uint8))
    count = SIDE // PATCH
    patches = image.reshape(count, PATCH, count, PATCH).swapaxes(1, 2).reshape(-1, 1, PATCH, PATCH)

    def run() -> list[Tensor]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = [made.execute(SimpleITK.GetImageFromArray(each), label) for each in patches]
        return [
            in_our_order({name.removeprefix("original_"): value for name, value in each.items()})
            for each in found
        ]

    return run


def medians(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each side; each of theirs lies between several of ours."""
    our_times, their_times = [], []
    ours()
    for _ in range(3):
        for side, times, repeats in ((ours, our_times, 7), (theirs, their_times, 1)):
            for _ in range(repeats):
                begin = process_time()
                side()
                times.append(process_time() - begin)
    return median(our_times), median(their_times)


@pytest.mark.parametrize("name", SETTINGS)
def test_patches_of_an_x_ray(name: str, x_ray: np.ndarray) -> None:
    """144 patches of 32 x 32, 93 features, all equal; at least 20 times as fast at width 25."""
    settings = SETTINGS[name]
    image = torch.from_numpy(x_ray)[None]
    theirs = one_by_one(x_ray, settings)

    our_time, their_time = medians(lambda: patch_features(image, PATCH, settings), theirs)

    ratio = their_time / our_time
    print(
        f"\n144 patches of 32 x 32, {name}: pyradiomics {1000 * their_time:.0f} ms, "
        f"ours {1000 * our_time:.1f} ms, ratio {ratio:.1f}"
    )
    for ours, other in zip(patch_features(image, PATCH, settings)[0], theirs(), strict=True):
        assert_equal_features(ours, other)
    if name == "width 25":
        assert ratio >= TARGET
