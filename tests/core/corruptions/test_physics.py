"""Each corruption does what its physics says, measured."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.corruptions.bias_field import BiasField
from survkit.corruptions.blur import FWHM_PER_SIGMA, Blur
from survkit.corruptions.column_noise import ColumnNoise
from survkit.corruptions.downsampling import Downsampling
from survkit.corruptions.gaussian_noise import GaussianNoise
from survkit.corruptions.intensity_shift import IntensityShift
from survkit.corruptions.mask_jitter import MaskJitter
from survkit.corruptions.missing_columns import MissingColumns
from survkit.corruptions.motion import Motion
from survkit.corruptions.poisson_noise import PoissonNoise
from survkit.corruptions.slice_thickness import SliceThickness
from survkit.errors import ConfigError, DataError
from survkit.protocols import Corruption, Sample
from survkit.specs import ColumnSpec


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def apply(corruption: Corruption, values: Tensor, seed: int = 0, **known: object) -> Tensor:
    """Corrupt values and return them."""
    found = corruption(Sample(values=values, **known), generator=chance(seed))  # type: ignore[arg-type]
    assert found is not None
    return found.values


def textured(*shape: int) -> Tensor:
    return torch.rand(shape, generator=chance(5))


@pytest.mark.parametrize("shape", [(1, 300, 300), (1, 40, 50, 45)])
@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.1])
def test_gaussian_noise_has_the_stated_deviation(sigma: float, shape: tuple[int, ...]) -> None:
    """The SD is sigma times the declared range (2 for a window), the mean is kept, voxels are
    independent.
    """
    values = torch.zeros(shape)
    noise = apply(GaussianNoise(sigma=sigma), values, intensity_range=(-1.0, 1.0))

    assert float(noise.std()) == pytest.approx(2 * sigma, rel=0.01)
    assert float(noise.mean()) == pytest.approx(0, abs=0.02 * sigma)
    neighbours = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
    assert float(neighbours) == pytest.approx(0, abs=0.02)


def test_without_a_declared_range_it_is_the_samples_own() -> None:
    """An image from 100 to 300 has a range of 200."""
    values = 100 + 200 * textured(1, 200, 200)
    values[0, 0, 0], values[0, 0, 1] = 100.0, 300.0

    noise = apply(GaussianNoise(sigma=0.1), values) - values

    assert float(noise.std()) == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize("counts", [1000.0, 100.0, 20.0])
@pytest.mark.parametrize("share", [0.25, 1.0])
def test_poisson_noise_has_variance_over_mean_of_one_over_counts(
    counts: float, share: float
) -> None:
    """In units of the range the mean is kept, variance / mean is 1 / counts, and values are whole
    counts.
    """
    values = torch.full((1, 60, 60, 60), 10 + 40 * share)

    counted = (apply(PoissonNoise(counts=counts), values, intensity_range=(10.0, 50.0)) - 10) / 40

    assert float(counted.mean()) == pytest.approx(share, rel=0.005)
    assert float(counted.var() / counted.mean()) == pytest.approx(1 / counts, rel=0.02)
    whole = counted * counts
    torch.testing.assert_close(whole, whole.round(), atol=1e-2, rtol=0)


def test_poisson_noise_refuses_less_than_no_counts() -> None:
    """A value below the declared range has no counts."""
    with pytest.raises(DataError, match="at least 0, the lowest of the declared range"):
        apply(PoissonNoise(), torch.tensor([[[-1.0, 1.0]]]), intensity_range=(0.0, 1.0))


def test_an_empty_image_has_no_counts_to_draw() -> None:
    """A constant image without a declared range stays as it is."""
    values = torch.full((1, 4, 4), 7.0)

    assert torch.equal(apply(PoissonNoise(), values), values)


@pytest.mark.parametrize("axes", [2, 3])
def test_a_blurred_point_is_a_gaussian(axes: int) -> None:
    """The point spread function is the sampled, normalised Gaussian of the stated width."""
    size, fwhm = 21, 3.0
    point = torch.zeros(1, *[size] * axes)
    point[(0, *[size // 2] * axes)] = 1.0

    blurred = apply(Blur(fwhm=fwhm), point)[0]

    distance = np.arange(size) - size // 2
    line = np.exp(-0.5 * (distance * FWHM_PER_SIGMA / fwhm) ** 2)
    line /= line.sum()
    expected = line
    for _ in range(axes - 1):
        expected = np.multiply.outer(expected, line)
    np.testing.assert_allclose(blurred.numpy(), expected, atol=2e-6)
    middle = blurred[(size // 2,) * (axes - 1)]
    half = float(middle[size // 2]) / 2
    assert float(middle[size // 2 + 1]) > half > float(middle[size // 2 + 2])


def test_blur_in_mm_is_wider_where_voxels_are_smaller() -> None:
    """Along an axis of voxels of half the size the width is twice as many voxels."""
    point = torch.zeros(1, 31, 31, 31)
    point[0, 15, 15, 15] = 1.0

    blurred = apply(Blur(fwhm=6.0, unit="mm"), point, spacing=(2.0, 1.0, 1.0))[0]

    position = torch.arange(31) - 15.0
    widths = [
        float((blurred.sum(dim=others) * position.square()).sum().sqrt() * FWHM_PER_SIGMA)
        for others in ((1, 2), (0, 2), (0, 1))
    ]
    assert widths == pytest.approx([3.0, 6.0, 6.0], rel=0.01)
    with pytest.raises(DataError, match="needs the voxel size"):
        apply(Blur(unit="mm"), point)


@pytest.mark.parametrize(
    "corruption", [Blur(fwhm=4.0), SliceThickness(factor=5), Downsampling(factor=2.0)]
)
def test_what_averages_keeps_the_mean(corruption: Corruption) -> None:
    """Nothing is gained or lost, up to the edges of a linear interpolation."""
    values = textured(2, 12, 16, 20)
    after = apply(corruption, values)

    tolerance = 0.01 if isinstance(corruption, Downsampling) else 1e-5
    assert float(after.mean()) == pytest.approx(float(values.mean()), rel=tolerance)
    assert float(after.var()) < 0.5 * float(values.var())


def test_downsampling_integrates_over_the_larger_voxel() -> None:
    """A pattern finer than the coarse voxel averages out instead of coming back as another; a
    linear ramp is kept away from the edges.
    """
    stripes = (torch.arange(32) % 2).float().expand(1, 32, 32)
    ramp = torch.arange(32.0).expand(1, 32, 32)

    coarse = apply(Downsampling(factor=2.0), stripes)
    sloped = apply(Downsampling(factor=4.0), ramp)

    torch.testing.assert_close(coarse, torch.full_like(coarse, 0.5))
    torch.testing.assert_close(sloped[..., 2:-2], ramp[..., 2:-2])


def test_thick_slices_are_means_of_their_slices() -> None:
    """Groups from the first slice on, the last one thinner; rows and columns are left alone."""
    values = textured(1, 7, 3, 3)
    thick = apply(SliceThickness(factor=3), values)[0]

    torch.testing.assert_close(thick[0], values[0, :3].mean(dim=0))
    torch.testing.assert_close(thick[4], values[0, 3:6].mean(dim=0))
    torch.testing.assert_close(thick[6], values[0, 6])
    assert torch.equal(thick[0], thick[2])


@pytest.mark.parametrize("shape", [(2, 15, 16), (1, 8, 15, 12)])
def test_motion_keeps_every_magnitude_and_the_energy(shape: tuple[int, ...]) -> None:
    """A displacement is a phase: |F| of every frequency, the energy and the mean are kept."""
    values = textured(*shape).double()
    axes = tuple(range(1, values.ndim))

    moved = apply(Motion(amplitude=1.5), values)

    magnitude = torch.fft.fftn(values, dim=axes).abs()
    torch.testing.assert_close(torch.fft.fftn(moved, dim=axes).abs(), magnitude)
    assert float(moved.square().sum()) == pytest.approx(float(values.square().sum()), rel=1e-10)
    assert float((moved - values).abs().max()) > 0.05


def test_motion_moves_what_was_acquired_after_it() -> None:
    """The displacement of a shot is the slope of the phase of its lines."""
    values = textured(1, 16, 16).double()
    moved = apply(Motion(amplitude=1.0, shots=2), values)
    moves = torch.randn(2, 2, generator=chance(), dtype=torch.float64)

    ratio = torch.fft.fft2(moved[0]) / torch.fft.fft2(values[0])

    assert torch.allclose(ratio[1], torch.ones_like(ratio[1]))  # a line of the central shot
    phase = -2 * torch.pi * (1 / 16 * moves[1, 1] + 6 / 16 * moves[1, 0])
    assert complex(ratio[6, 1]) == pytest.approx(complex(np.exp(1j * float(phase))), abs=1e-8)


def test_the_bias_field_multiplies() -> None:
    """The ratio does not depend on the image, is smooth, and stays within its bounds, which one
    end of it reaches.
    """
    first, second = 0.5 + textured(1, 12, 16, 20), 0.5 + textured(1, 12, 16, 20).flip(1)

    fields = [
        apply(BiasField(strength=0.3), each, intensity_range=(0.0, 2.0)) / each
        for each in (first, second)
    ]

    torch.testing.assert_close(fields[0], fields[1])
    assert float(fields[0].log().abs().max()) == pytest.approx(0.3, rel=1e-4)
    steps = fields[0].log().diff(dim=-1).abs()
    assert float(steps.max()) < 0.3
    fourth = fields[0].double().log().diff(n=4, dim=-1)  # of a polynomial of degree 3
    assert float(fourth.abs().max()) < 1e-5


def test_the_bias_field_counts_from_the_lowest_intensity() -> None:
    """Air stays air: the lowest of the range is not changed."""
    values = torch.full((1, 5, 5), -1.0)

    torch.testing.assert_close(apply(BiasField(), values, intensity_range=(-1.0, 1.0)), values)


def test_an_intensity_shift_is_one_line_within_its_bounds() -> None:
    """After against before is a straight line; gain and offset are uniform within their bounds."""
    values = 10 + 40 * textured(1, 8, 8)
    lines = []
    for seed in range(200):
        after = apply(IntensityShift(shift=0.2, gain=0.1), values, seed, intensity_range=(10, 50))
        slope, offset = np.polyfit((values.flatten() - 10) / 40, (after.flatten() - 10) / 40, 1)
        lines.append((slope - 1, offset))
        expected = 10 + (values - 10) * slope + 40 * offset
        torch.testing.assert_close(after, expected.to(after.dtype), rtol=1e-4, atol=1e-3)
    found = np.abs(np.array(lines))
    assert (found.max(axis=0) <= [0.1001, 0.2001]).all()
    assert found.mean(axis=0) == pytest.approx([0.05, 0.1], rel=0.15)


def test_a_moved_mask_keeps_its_form_and_an_eroded_one_loses_its_skin() -> None:
    """The image stays; a cube of 5 voxels moves as a whole, and erosion leaves a cube of 3."""
    mask = torch.zeros(15, 15, 15, dtype=torch.bool)
    mask[5:10, 5:10, 5:10] = True
    sample = Sample(values=textured(1, 15, 15, 15), mask=mask)

    moved = MaskJitter(shift=3.0)(sample, generator=chance(1))
    eroded = MaskJitter(shift=0.0, erode=1)(sample, generator=chance(1))

    assert moved.mask is not None
    assert eroded.mask is not None
    assert int(moved.mask.sum()) == 125
    step = torch.nonzero(moved.mask)[0] - torch.nonzero(mask)[0]
    assert float(step.double().norm()) == pytest.approx(3.0, abs=0.9)
    assert torch.equal(torch.roll(mask, step.tolist(), (0, 1, 2)), moved.mask)
    assert int(eroded.mask.sum()) == 27
    assert torch.equal(moved.values, sample.values)


def test_a_mask_that_vanishes_is_refused() -> None:
    """No region is no smaller region."""
    mask = torch.zeros(9, 9, dtype=torch.bool)
    mask[4, 4] = True

    with pytest.raises(DataError, match="nothing of the mask is left"):
        MaskJitter(shift=1.0, erode=1)(
            Sample(values=textured(1, 9, 9), mask=mask), generator=chance()
        )


def test_a_subject_without_a_mask_stays() -> None:
    """There is nothing to move."""
    sample = Sample(values=textured(1, 5, 5))

    assert MaskJitter()(sample, generator=chance()) is sample


def test_columns_are_emptied_at_their_rate() -> None:
    """The share of empty cells is the rate, and what is emptied at a low rate is at a high one."""
    values = textured(10_000)
    low, high = (apply(MissingColumns(rate=rate), values).isnan() for rate in (0.2, 0.6))

    assert float(low.float().mean()) == pytest.approx(0.2, abs=0.02)
    assert float(high.float().mean()) == pytest.approx(0.6, abs=0.02)
    assert bool((high | ~low).all())


def test_column_noise_is_relative_and_spares_categories() -> None:
    """The coefficient of variation is as stated; levels and missing cells stay."""
    columns = (ColumnSpec("crp"), ColumnSpec("stage", ("I", "II")), ColumnSpec("age"))
    values = torch.tensor([50.0, 1.0, float("nan")])
    drawn = torch.stack(
        [apply(ColumnNoise(variation=0.1), values, seed, columns=columns) for seed in range(2000)]
    )

    assert float(drawn[:, 0].std() / drawn[:, 0].mean()) == pytest.approx(0.1, rel=0.05)
    assert bool((drawn[:, 1] == 1).all())
    assert bool(drawn[:, 2].isnan().all())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: GaussianNoise(sigma=-0.1), "sigma must be a number of at least 0"),
        (lambda: PoissonNoise(counts=0), "counts must be a number of at least 0.001"),
        (lambda: Blur(fwhm=float("nan")), "fwhm must be"),
        (lambda: Downsampling(factor=0.5), "factor must be a number of at least 1"),
        (lambda: SliceThickness(factor=0), "factor must be a number of at least 1"),
        (lambda: Motion(shots=1), "shots must be a number of at least 2"),
        (lambda: BiasField(order=0), "order must be"),
        (lambda: IntensityShift(gain=-1), "gain must be"),
        (lambda: MaskJitter(erode=-1), "erode must be"),
        (lambda: MissingColumns(rate=1.5), "rate must be a probability"),
        (lambda: ColumnNoise(variation=-1), "variation must be"),
    ],
)
def test_impossible_severities_are_refused(build: object, message: str) -> None:
    """One sentence says what would do."""
    with pytest.raises(ConfigError, match=message):
        build()  # type: ignore[operator]
