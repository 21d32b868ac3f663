"""The encoder of embeddings: scaling, principal components, many per subject."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.encoders.vector import VectorEncoder
from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import ModalityInput
from survkit.specs import InputSpec

SPEC = InputSpec(kind="vector", shape=(4,))
MANY = InputSpec(kind="vector", shape=(4,), has_tokens=True)


def given(values: Tensor, token_mask: Tensor | None = None) -> ModalityInput:
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool), token_mask)


def vectors(count: int = 30) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    mixing = torch.randn(4, 4, generator=generator).double()
    return torch.randn(count, 4, generator=generator).double() @ mixing + 5.0


def test_entries_are_standardised() -> None:
    """Training mean 0 and SD 1; an entry without variance is 0."""
    values = vectors()
    values[:, 2] = 7.0
    encoder = VectorEncoder(SPEC, dim=None).double()
    encoder.fit(given(values))

    summary = encoder(given(values)).summary

    kept = [0, 1, 3]
    assert float(summary.mean(dim=0).abs().max()) < 1e-12
    torch.testing.assert_close(summary[:, kept].std(dim=0, correction=0), torch.ones(3).double())
    assert not bool(summary[:, 2].any())


def test_components_agree_with_an_eigendecomposition() -> None:
    """Scores are uncorrelated, with the variances of the correlation matrix over the largest."""
    values = vectors()
    encoder = VectorEncoder(SPEC, dim=None, components=3).double()
    encoder.fit(given(values))

    scores = encoder(given(values)).summary.numpy()

    eigenvalues = np.sort(np.linalg.eigvalsh(np.corrcoef(values.numpy().T)))[::-1]
    covariance = np.cov(scores.T, bias=True)
    np.testing.assert_allclose(covariance, np.diag(eigenvalues[:3] / eigenvalues[0]), atol=1e-12)


def test_components_do_not_depend_on_the_order_of_subjects() -> None:
    """The sign is fixed, so that a shuffled training set gives the same encoder."""
    values = vectors()
    encoders = []
    for rows in (values, values.flip(0)):
        encoder = VectorEncoder(SPEC, dim=None, components=2).double()
        encoder.fit(given(rows))
        encoders.append(encoder)

    torch.testing.assert_close(encoders[0].scaling.rotation, encoders[1].scaling.rotation)
    axes = encoders[0].scaling.rotation
    largest = axes.gather(0, axes.abs().argmax(dim=0, keepdim=True))
    assert bool((largest > 0).all())


def test_more_components_than_subjects_vary_in_are_zero() -> None:
    """Three subjects span two directions; the third component is 0, for later subjects too."""
    encoder = VectorEncoder(SPEC, dim=None, components=3).double()
    encoder.fit(given(vectors(3)))

    scores = encoder(given(vectors(30))).summary

    assert not bool(scores[:, 2].any())
    assert bool((scores[:, :2] != 0).all())


def test_only_real_tokens_of_present_subjects_are_learnt_from() -> None:
    """Padding and absent rows change nothing."""
    values = vectors(4).reshape(2, 2, 4)
    padded = torch.cat([values, torch.full((2, 1, 4), 99.0).double()], dim=1)
    padded = torch.cat([padded, torch.full((1, 3, 4), -99.0).double()])
    mask = torch.tensor([[True, True, False]] * 3)
    present = torch.tensor([True, True, False])
    plain, masked = (VectorEncoder(MANY, dim=None).double() for _ in range(2))

    plain.fit(given(values, torch.ones(2, 2, dtype=torch.bool)))
    masked.fit(ModalityInput(padded, present, mask, complete=False))

    torch.testing.assert_close(masked.scaling.mean, plain.scaling.mean)
    torch.testing.assert_close(masked.scaling.scale, plain.scaling.scale)


def test_the_summary_of_many_is_the_mean_of_the_real_ones() -> None:
    """A subject with two tiles and one of padding."""
    values = torch.tensor([[[1.0, 1, 1, 1], [3.0, 3, 3, 3], [50.0, 50, 50, 50]]])
    encoder = VectorEncoder(MANY, dim=None, standardise=False)

    encoding = encoder(given(values, torch.tensor([[True, True, False]])))

    assert encoding.summary.tolist() == [[2.0, 2.0, 2.0, 2.0]]
    assert encoder.encoding.tokens is None


def test_without_scaling_there_is_nothing_to_fit() -> None:
    """The vector comes out as it went in, before and after fit."""
    encoder = VectorEncoder(SPEC, dim=None, standardise=False)
    values = vectors(3).float()
    before = encoder(given(values)).summary

    encoder.fit(given(values))

    assert torch.equal(before, values)
    assert torch.equal(encoder(given(values)).summary, values)


def test_what_cannot_be_used_is_refused() -> None:
    """Kind, components, dim, unfitted, not finite, nobody."""
    with pytest.raises(CompositionError, match=r"needs a vector .* is a image; tabular"):
        VectorEncoder(InputSpec(kind="image", shape=(1, 8, 8)))
    with pytest.raises(ConfigError, match="between 1 and the vector's 4 entries, not 5"):
        VectorEncoder(SPEC, components=5)
    with pytest.raises(ConfigError, match="dim must be at least 1"):
        VectorEncoder(SPEC, dim=0)
    encoder = VectorEncoder(SPEC)
    with pytest.raises(DataError, match="knows no training subjects yet"):
        encoder(given(vectors()))
    broken = vectors()
    broken[3, 1] = torch.nan
    with pytest.raises(DataError, match="training vector 3 is not"):
        encoder.fit(given(broken))
    with pytest.raises(DataError, match="none has this modality"):
        encoder.fit(given(vectors(0)))
