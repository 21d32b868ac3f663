"""The core's corruptions keep what the kit asks, and the kit notices those that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch

from survkit.corruptions.bias_field import BiasField
from survkit.corruptions.blur import Blur
from survkit.corruptions.column_noise import ColumnNoise
from survkit.corruptions.downsampling import Downsampling
from survkit.corruptions.gaussian_noise import GaussianNoise
from survkit.corruptions.intensity_shift import IntensityShift
from survkit.corruptions.mask_jitter import MaskJitter
from survkit.corruptions.missing_columns import MissingColumns
from survkit.corruptions.missing_modality import MissingModality
from survkit.corruptions.motion import Motion
from survkit.corruptions.poisson_noise import PoissonNoise
from survkit.corruptions.slice_thickness import SliceThickness
from survkit.protocols import Sample
from survkit.testing import CorruptionConformance


class TestGaussianNoise(CorruptionConformance):
    component = GaussianNoise
    identity: ClassVar = {"sigma": 0.0}
    stronger: ClassVar = {"sigma": 0.2}


class TestGaussianNoiseOfImages(TestGaussianNoise):
    kind = "image"


class TestPoissonNoise(CorruptionConformance):
    component = PoissonNoise
    settings: ClassVar = {"counts": 100.0}
    stronger: ClassVar = {"counts": 20.0}


class TestPoissonNoiseOfImages(TestPoissonNoise):
    kind = "image"


class TestBlur(CorruptionConformance):
    component = Blur
    identity: ClassVar = {"fwhm": 0.0}
    stronger: ClassVar = {"fwhm": 6.0}


class TestBlurInMillimetres(CorruptionConformance):
    component = Blur
    settings: ClassVar = {"unit": "mm"}
    identity: ClassVar = {"fwhm": 0.0, "unit": "mm"}
    stronger: ClassVar = {"fwhm": 6.0, "unit": "mm"}


class TestBlurOfImages(TestBlur):
    kind = "image"


class TestDownsampling(CorruptionConformance):
    component = Downsampling
    identity: ClassVar = {"factor": 1.0}
    stronger: ClassVar = {"factor": 4.0}


class TestDownsamplingOfImages(TestDownsampling):
    kind = "image"


class TestSliceThickness(CorruptionConformance):
    component = SliceThickness
    settings: ClassVar = {"factor": 2}
    identity: ClassVar = {"factor": 1}
    stronger: ClassVar = {"factor": 6}


class TestMotion(CorruptionConformance):
    component = Motion
    settings: ClassVar = {"amplitude": 0.3}
    identity: ClassVar = {"amplitude": 0.0}
    stronger: ClassVar = {"amplitude": 2.0}


class TestMotionOfImages(TestMotion):
    kind = "image"


class TestBiasField(CorruptionConformance):
    component = BiasField
    identity: ClassVar = {"strength": 0.0}
    stronger: ClassVar = {"strength": 0.6}


class TestBiasFieldOfImages(TestBiasField):
    kind = "image"


class TestIntensityShift(CorruptionConformance):
    component = IntensityShift
    identity: ClassVar = {"shift": 0.0, "gain": 0.0}
    stronger: ClassVar = {"shift": 0.2, "gain": 0.2}


class TestIntensityShiftOfImages(TestIntensityShift):
    kind = "image"


class TestMaskJitter(CorruptionConformance):
    component = MaskJitter
    identity: ClassVar = {"shift": 0.0}
    stronger: ClassVar = {"shift": 4.0, "erode": 1}


class TestMaskJitterOfImages(TestMaskJitter):
    kind = "image"


@pytest.mark.parametrize("kind", MissingModality.kinds)
def test_missing_modality_gives_nothing(kind: str) -> None:
    """It is the one corruption without a sample."""

    class Missing(CorruptionConformance):
        component = MissingModality

    Missing.kind = kind  # type: ignore[assignment]

    assert Missing().corrupted() is None


class TestMissingModality(CorruptionConformance):
    component = MissingModality


class TestMissingColumns(CorruptionConformance):
    component = MissingColumns
    kind = "table"
    identity: ClassVar = {"rate": 0.0}
    stronger: ClassVar = {"rate": 0.8}


class TestColumnNoise(CorruptionConformance):
    component = ColumnNoise
    kind = "table"
    identity: ClassVar = {"variation": 0.0}
    stronger: ClassVar = {"variation": 0.3}


class TestColumnNoiseOfEmbeddings(TestColumnNoise):
    kind = "vector"


class Faulty:
    """Noise on a volume with one fault."""

    kinds: ClassVar = ("volume",)
    levels: ClassVar = {"high": {"fault": ""}}
    stochastic: ClassVar = True

    def __init__(self, *, fault: str = "", sigma: float = 0.1) -> None:
        self.fault, self.sigma = fault, sigma
        if fault == "undeclared kind":
            self.kinds = ("image",)  # type: ignore[misc]
        if fault == "denies chance":
            self.stochastic = False  # type: ignore[misc]
        if fault == "level of nothing":
            self.levels = {"none": {"sigma": 0.0}}  # type: ignore[misc]

    def __call__(self, sample: Sample, *, generator: torch.Generator) -> Sample:
        source = None if self.fault == "own chance" else generator
        noise = torch.randn(sample.values.shape, generator=source)
        values = sample.values + self.sigma * noise
        if self.fault == "writes into its input":
            values = sample.values.add_(noise)
        if self.fault == "other type":
            values = values.double()
        if self.fault == "not finite":
            values = values / 0
        if self.fault == "never zero":
            values = values + 1.0
        if self.fault == "weaker":
            values = sample.values + noise / (1 + self.sigma)
        return replace(sample, values=values)


@pytest.mark.parametrize(
    ("fault", "test"),
    [
        ("undeclared kind", "test_kinds_are_declared"),
        ("denies chance", "test_stochastic_is_measured"),
        ("level of nothing", "test_every_level_is_a_setting"),
        ("own chance", "test_same_generator_same_result"),
        ("writes into its input", "test_the_input_is_not_changed"),
        ("other type", "test_form_is_kept"),
        ("not finite", "test_values_are_finite"),
        ("never zero", "test_severity_zero_changes_nothing"),
        ("weaker", "test_stronger_changes_more"),
    ],
)
def test_the_kit_catches(fault: str, test: str) -> None:
    """Each fault is found by the test that is there for it, and passes without the fault."""

    def run(settings: dict[str, Any]) -> None:
        class Kit(CorruptionConformance):
            component: ClassVar[Callable[..., Any]] = Faulty

        Kit.settings = settings
        Kit.identity = settings | {"sigma": 0.0}
        Kit.stronger = settings | {"sigma": 0.5}
        getattr(Kit(), test)()

    run({})
    with pytest.raises(AssertionError):
        run({"fault": fault})
