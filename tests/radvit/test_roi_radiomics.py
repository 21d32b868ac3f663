"""Radiomics of a region: computed inside the mask, then as a table of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.protocols import Sample
from survkit.radiomics import FEATURE_NAMES, roi_features
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_radvit.roi_radiomics import RoiRadiomicsEncoder

CT = InputSpec(kind="volume", shape=(1, 4, 8, 8), spacing=(3.0, 1.0, 1.0))
CXR = InputSpec(kind="image", shape=(1, 12, 12))


def sample(spec: InputSpec = CT) -> Sample:
    """Return integer intensities and a box as the region."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(-200, 300, spec.shape, generator=generator).float()
    mask = torch.zeros(spec.shape[1:], dtype=torch.bool)
    mask[..., 2:7, 1:6] = True
    return Sample(values=values, mask=mask, spacing=spec.spacing, source="a.nii.gz")


class TestVolume(EncoderConformance):
    component = RoiRadiomicsEncoder
    input = CT
    sample: ClassVar = sample()
    settings: ClassVar = {"dim": 4, "hidden": [5]}


class TestImage(EncoderConformance):
    component = RoiRadiomicsEncoder
    input = CXR
    sample: ClassVar = sample(CXR)


@pytest.mark.parametrize("spec", [CT, CXR])
def test_what_is_prepared_are_the_features_of_the_core(spec: InputSpec) -> None:
    """Inside the mask, with the voxels' size; without one, of 1 mm."""
    encoder, given = RoiRadiomicsEncoder(spec), sample(spec)
    assert given.mask is not None

    found = encoder.prepare(given)

    spacing = spec.spacing or (1.0, 1.0)
    expected = roi_features(given.values[0].double(), given.mask, spacing, encoder.settings)
    assert found.shape == (len(FEATURE_NAMES),)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0, equal_nan=True)


@pytest.mark.parametrize("scale", ["none", "min-max-255"])
def test_what_lies_outside_the_region_has_no_influence(scale: Any) -> None:
    """Neither on the features nor on the stretch."""
    encoder, given = RoiRadiomicsEncoder(CT, scale=scale), sample()
    assert given.mask is not None
    other = replace(given, values=torch.where(given.mask, given.values, 9999.0))

    assert torch.equal(encoder.prepare(other), encoder.prepare(given))


def empty(given: Sample) -> Tensor:
    return torch.zeros(given.values.shape[1:], dtype=torch.bool)


def test_a_region_without_meaning_is_refused() -> None:
    """With the file and what to do."""
    encoder, given = RoiRadiomicsEncoder(CT), sample()

    with pytest.raises(DataError, match=r"a.nii.gz: .*there is no mask; name a column of masks"):
        encoder.prepare(replace(given, mask=None))
    with pytest.raises(DataError, match=r"a.nii.gz: the mask is empty"):
        encoder.prepare(replace(given, mask=empty(given)))
    with pytest.raises(DataError, match="one gray level at bin_width 25; take the window out"):
        encoder.prepare(replace(given, values=given.values / 500))
    with pytest.raises(DataError, match="every pixel that radiomics would read is 1"):
        encoder.prepare(replace(given, values=torch.ones(CT.shape)))


def test_what_does_not_fit_is_refused() -> None:
    """In a sentence that says what would."""
    with pytest.raises(CompositionError, match="is a vector; radvit/radiomics takes features"):
        RoiRadiomicsEncoder(InputSpec(kind="vector", shape=(3,)))
    with pytest.raises(CompositionError, match="one channel, but the image has 3"):
        RoiRadiomicsEncoder(InputSpec(kind="image", shape=(3, 8, 8)))
    with pytest.raises(ConfigError, match="groups is class or none, not 'filter'"):
        RoiRadiomicsEncoder(CT, groups="filter")  # type: ignore[arg-type]


def test_groups_are_the_six_classes() -> None:
    """Over the last axis of what is prepared; a token each where there is a width."""
    encoder = RoiRadiomicsEncoder(CT, dim=4)

    groups = encoder.feature_groups()

    assert list(groups) == ["firstorder", "glcm", "glrlm", "glszm", "gldm", "ngtdm"]
    assert [len(columns) for columns in groups.values()] == [18, 24, 16, 16, 14, 5]
    assert encoder.encoding.tokens == 6
