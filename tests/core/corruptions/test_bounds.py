"""Severities beyond all sense are refused where they are set, and wide blurs stay cheap."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from survkit.corruptions.bias_field import BiasField
from survkit.corruptions.blur import Blur
from survkit.corruptions.column_noise import ColumnNoise
from survkit.corruptions.downsampling import Downsampling
from survkit.corruptions.gaussian_noise import GaussianNoise
from survkit.corruptions.intensity_shift import IntensityShift
from survkit.corruptions.mask_jitter import MaskJitter
from survkit.corruptions.motion import Motion
from survkit.corruptions.poisson_noise import PoissonNoise
from survkit.corruptions.slice_thickness import SliceThickness
from survkit.errors import ConfigError
from survkit.protocols import Sample

ABSURD = [
    (BiasField, {"strength": 1e308}, "sensitivity then varies"),
    (BiasField, {"order": 10**9}, "no slowly varying field"),
    (Blur, {"fwhm": 1e9}, "the mean is left"),
    (ColumnNoise, {"variation": 1e308}, "only noise"),
    (Downsampling, {"factor": 1e308}, "no image has as many voxels"),
    (GaussianNoise, {"sigma": 1e308}, "only noise"),
    (IntensityShift, {"shift": 1e308}, "no calibration is as far off"),
    (IntensityShift, {"gain": float("inf")}, "no calibration is as far off"),
    (MaskJitter, {"shift": 1e308}, "nothing of the mask is left"),
    (MaskJitter, {"erode": 10**400}, "nothing of the mask is left"),
    (Motion, {"amplitude": 1e308}, "the patient left the scanner"),
    (Motion, {"shots": 10**12}, "not as many lines"),
    (PoissonNoise, {"counts": 1e308}, "noise is no longer seen"),
    (SliceThickness, {"factor": 10**30}, "no volume has as many slices"),
]


@pytest.mark.parametrize(("corruption", "settings", "why"), ABSURD)
def test_a_severity_without_end_is_refused(
    corruption: Any, settings: dict[str, Any], why: str
) -> None:
    """The bound, what came, and what lies beyond; no overflow, no endless work."""
    (name,) = settings
    with pytest.raises(ConfigError, match=rf"{name} must be .* at most .*, not .*: .*{why}"):
        corruption(**settings)


@pytest.mark.parametrize(("corruption", "settings", "_"), ABSURD)
def test_the_levels_are_within_the_bounds(
    corruption: Any, settings: dict[str, Any], _: str
) -> None:
    """What is offered by name can be built."""
    for level in corruption.levels.values():
        corruption(**level)


def test_the_widest_blur_leaves_the_mean() -> None:
    """A point spread function wider than the mirrored image averages it, whatever its width."""
    values = torch.rand((1, 5, 6, 7), generator=torch.Generator().manual_seed(0)).double()
    blur = Blur(fwhm=1000.0, unit="mm")

    found = blur(
        Sample(values=values, spacing=(1.0, 1e-4, 1e-6)), generator=torch.Generator()
    ).values

    torch.testing.assert_close(found, values.mean().expand_as(values), rtol=1e-5, atol=0)
