"""Radiomics on a CUDA device: the values of the CPU, and the same bits in every run."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.core.radiomics.pyradiomics_values import assert_equal_features
from torch import Tensor

from survkit.radiomics import RadiomicsSettings, patch_features, roi_features

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

SETTINGS = [RadiomicsSettings(), RadiomicsSettings(bin_width=None, bin_count=32)]


def images() -> Tensor:
    """Noise, of which one image is smooth and one has a flat corner."""
    drawn = np.random.default_rng(0).integers(0, 256, (3, 96, 96)).astype(float)
    drawn[0] = np.round(np.cumsum(drawn[0] - 127.5, axis=1) / 8)
    drawn[1, :32, :32] = 9.0
    return torch.from_numpy(drawn)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: each.fingerprint)
def test_patches(settings: RadiomicsSettings) -> None:
    """Counts are whole numbers everywhere; what is made of them agrees to 1e-9."""
    found = patch_features(images().cuda(), 32, settings)

    assert found.is_cuda
    assert torch.equal(patch_features(images().cuda(), 32, settings), found)
    expected = patch_features(images(), 32, settings).flatten(0, 1)
    for ours, theirs in zip(found.cpu().flatten(0, 1), expected, strict=True):
        assert_equal_features(ours, theirs, relative=1e-9)


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda each: each.fingerprint)
def test_a_region(settings: RadiomicsSettings) -> None:
    """An irregular mask of several parts in a volume."""
    random = np.random.default_rng(1)
    image = torch.from_numpy(random.integers(0, 300, (9, 14, 15)))
    mask = torch.from_numpy(random.random((9, 14, 15)) < 0.6)
    spacing = (2.0, 1.0, 1.0)

    found = roi_features(image.cuda(), mask.cuda(), spacing, settings)

    assert torch.equal(roi_features(image.cuda(), mask.cuda(), spacing, settings), found)
    assert_equal_features(found.cpu(), roi_features(image, mask, spacing, settings), relative=1e-9)
