"""What is learnt of radiomic features from training: medians, what is constant, z-scores."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit_radvit.groups import feature_scaling
from survkit_radvit.groups.feature_scaling import FeatureScaling

NAMES = ("energy", "entropy", "contrast", "flat")


def rows(count: int = 60, *, gaps: float = 0.2) -> Tensor:
    """Return rows whose features have scales far apart; the last is constant, up to its gaps."""
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(count, 4, generator=generator, dtype=torch.float64)
    values = values * torch.tensor([1e-3, 1.0, 1e-6, 0.0]) + torch.tensor([1e7, 3.0, 0.0, 0.1])
    return values.masked_fill(torch.rand(count, 4, generator=generator) < gaps, torch.nan)


def fitted(*batches: Tensor, names: tuple[str, ...] = NAMES) -> FeatureScaling:
    scaling = FeatureScaling(names)
    scaling.fit(batches)
    return scaling


def test_it_is_numpy_in_float64() -> None:
    """Median of what is there, gaps filled, population SD; 1e7 with an SD of 1e-3 keeps digits."""
    given = rows()
    known = given.numpy()
    median = np.nanmedian(known, axis=0)
    filled = np.where(np.isnan(known), median, known)
    centred = filled[:, :3].astype(np.longdouble) - filled[:, :3].mean(0, dtype=np.longdouble)
    expected = centred / np.sqrt((centred**2).mean(0))

    scaling = fitted(given)
    scaled = scaling(given)

    assert scaled.dtype == torch.float64
    np.testing.assert_allclose(scaling.median.numpy(), median, rtol=1e-15)
    np.testing.assert_allclose(scaled[:, :3].numpy(), expected.astype(float), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(scaled[:, 1:3].numpy(), expected[:, 1:].astype(float), atol=1e-12)


def test_a_constant_feature_is_off_for_everybody() -> None:
    """0 for later subjects too, whatever they have; what is left keeps its place."""
    scaling = fitted(rows())
    later = torch.tensor([[1e7, 3.0, 0.0, 5.0], [1e7, 3.0, 0.0, torch.nan]], dtype=torch.float64)

    scaled = scaling(later)

    assert scaled.shape == (2, 4)
    assert scaled[:, 3].tolist() == [0.0, 0.0]
    assert (scaling.factor == 0).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("sd", "offset", "off"),
    [(2e-8, 0.0, False), (5e-9, 0.0, True), (1e-5, 1e12, True), (1e-3, 1e8, False)],
)
def test_the_threshold(sd: float, offset: float, off: bool) -> None:
    """1e-8; or what rounding leaves of numbers of that size (8 units in the last place)."""
    column = offset + sd * torch.tensor([[-1.0], [1.0]], dtype=torch.float64)

    scaling = fitted(column, names=("one",))

    assert bool(scaling.factor == 0) == off


def test_a_constant_that_no_float_holds_exactly_is_off() -> None:
    """0.1 a hundred thousand times over: the mean must not be off by the rounding of sums."""
    column = torch.full((100_000, 1), 0.1 * 1e9, dtype=torch.float64)

    scaling = fitted(*torch.split(column, 7919), names=("one",))

    assert float(scaling.factor) == 0.0


def test_how_batches_are_cut_and_shaped_is_irrelevant() -> None:
    """One by one, all at once, empty ones among them, patches of subjects: rows are rows."""
    given = rows()
    whole = fitted(given)

    cuts = [fitted(*torch.split(given, 1)), fitted(given[:17], given[:0], given[17:])]
    cuts.append(fitted(given.reshape(5, 12, 4)))

    for other in cuts:
        assert torch.equal(other.median, whole.median)
        torch.testing.assert_close(other.mean, whole.mean, rtol=1e-14, atol=1e-16)
        torch.testing.assert_close(other.factor, whole.factor, rtol=1e-9, atol=0)


def test_columns_too_many_for_memory_are_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Medians of two columns at a time are those of all at once."""
    whole = fitted(rows())
    monkeypatch.setattr(feature_scaling, "HELD", 2 * 60)

    assert torch.equal(fitted(rows()).median, whole.median)


def test_a_gap_is_the_training_median_and_nobody_elses() -> None:
    """Whom it is asked about changes nothing: a gap among outliers is filled as if alone."""
    train = torch.tensor([[1.0], [2.0], [2.5], [40.0]], dtype=torch.float64)
    scaling = fitted(train, names=("one",))
    test = torch.tensor([[torch.nan], [900.0], [1000.0]], dtype=torch.float64)

    scaled = scaling(test)

    assert float(scaling.median) == 2.25
    assert torch.equal(scaled[:1], scaling(torch.tensor([[2.25]], dtype=torch.float64)))


def test_gaps_count_as_the_median_in_mean_and_sd() -> None:
    """1, 3 and a gap are 1, 3, 2: mean 2, variance 2/3."""
    scaling = fitted(torch.tensor([[1.0], [3.0], [torch.nan]]), names=("one",))

    torch.testing.assert_close(float(scaling.mean), 2.0)
    torch.testing.assert_close(float(scaling.factor) ** -2, 2 / 3)


def test_what_cannot_be_learnt_from_is_refused() -> None:
    """By the feature's name."""
    with pytest.raises(DataError, match="none of them has this modality"):
        fitted(rows()[:0])
    wrong = rows()
    wrong[3, 2] = torch.inf
    with pytest.raises(DataError, match="feature 'contrast' is inf in a training subject"):
        fitted(wrong)
    wrong[:, 2] = torch.nan
    with pytest.raises(DataError, match="'contrast' is missing for every training subject"):
        fitted(wrong)
    with pytest.raises(DataError, match="scale of the radiomic features is not known yet"):
        FeatureScaling(NAMES)(rows())


def test_saved_state_is_fitted_and_exact() -> None:
    """Strictly, float64 and all."""
    scaling, fresh = fitted(rows()), FeatureScaling(NAMES)

    fresh.load_state_dict(scaling.state_dict(), strict=True)

    assert torch.equal(fresh(rows()), scaling(rows()))
