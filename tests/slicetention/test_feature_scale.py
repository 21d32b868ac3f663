"""Features are standardised by what training subjects' real slices show."""

from __future__ import annotations

import pytest
import torch

from survkit.errors import DataError
from survkit.flow import ModalityInput
from survkit_slicetention.feature_scale import FeatureScale


def batches(*, cut: int) -> list[ModalityInput]:
    """Return six subjects of up to five slices, a large offset, one constant feature."""
    values = 1000 + torch.randn(6, 5, 3, generator=torch.Generator().manual_seed(0)) * 0.1
    values[..., 2] = 7.0
    mask = torch.arange(5) < torch.tensor([5, 1, 3, 2, 5, 4])[:, None]
    values[~mask] = 0.0
    present = torch.ones(6, dtype=torch.bool)
    return [
        ModalityInput(values[i : i + cut], present[i : i + cut], mask[i : i + cut])
        for i in range(0, 6, cut)
    ]


@pytest.mark.parametrize("cut", [1, 4, 6])
def test_real_slices_have_mean_0_and_sd_1(cut: int) -> None:
    """However the batches are cut; a constant feature is 0, padding had no part."""
    scale = FeatureScale(3)
    scale.fit(batches(cut=cut))

    whole = batches(cut=6)[0]
    assert whole.token_mask is not None
    rows = scale.double()(whole.values.double())[whole.token_mask]

    assert rows.mean(dim=0).tolist() == pytest.approx([0.0, 0.0, 0.0], abs=1e-3)
    assert rows.std(dim=0, correction=0).tolist() == pytest.approx([1.0, 1.0, 0.0], abs=1e-3)


def test_stored_views_are_scaled_by_the_clean_one() -> None:
    """View 0 is the slice as it is."""
    plain, viewed = FeatureScale(3), FeatureScale(3)
    given = batches(cut=6)
    plain.fit(given)
    views = torch.stack([given[0].values, given[0].values + 5], dim=2)
    viewed.fit([ModalityInput(views, given[0].present, given[0].token_mask)])

    torch.testing.assert_close(viewed.mean, plain.mean)
    torch.testing.assert_close(viewed.factor, plain.factor)


def test_an_unfitted_scale_is_refused() -> None:
    """It is learnt from training subjects, or comes with a saved model."""
    with pytest.raises(DataError, match="not known yet: call fit_batches"):
        FeatureScale(3)(torch.zeros(1, 3))
    with pytest.raises(DataError, match="no training subject has a slice"):
        FeatureScale(3).fit([])
