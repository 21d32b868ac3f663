"""Augmentation over a frozen trunk draws from stored views, in training alone."""

from __future__ import annotations

import pytest
import torch
from tests.slicetention.small_slices import (
    encoder,
    padded,
    sample,
)

from survkit_slicetention.stored_views import Augmentation


def test_stored_views_are_drawn_as_often_as_said() -> None:
    """The clean one with probability 1 - rate, the others alike; in eval mode always the clean."""
    augmentation = Augmentation(rate=0.3, views=3)
    views = torch.arange(4.0).reshape(1, 1, 4, 1).expand(8, 5000, 4, 1)
    torch.manual_seed(0)

    drawn = augmentation.draw(views, training=True)

    share = torch.bincount(drawn.flatten().long(), minlength=4) / drawn.numel()
    assert share.tolist() == pytest.approx([0.7, 0.1, 0.1, 0.1], abs=0.01)
    assert not bool(augmentation.draw(views, training=False).any())


def test_stored_views_are_turned_slices() -> None:
    """View 0 is the slice as it is; the others differ, and are the same at every call."""
    plain, viewed = encoder(), encoder(views=2)

    first, second = viewed.prepare(sample()), viewed.prepare(sample())

    assert first.shape[1:] == (3, viewed.reader.trunk.features)
    assert torch.equal(first, second)
    atol = 1e-5 * float(first.abs().max())
    torch.testing.assert_close(first[:, 0], plain.prepare(sample()), rtol=0, atol=atol)
    assert not torch.allclose(first[:, 0], first[:, 1])
    assert not torch.allclose(first[:, 1], first[:, 2])


def test_augmentation_draws_from_torchs_generator_in_training_alone() -> None:
    """So that a second pass repeats the first, and prediction is never random."""
    one = encoder(stem="trainable", rate=1.0, dropout=0.0)
    batch = padded([one.prepare(sample(i)) for i in range(2)])
    clean = one(batch).summary
    one.train()
    torch.manual_seed(5)
    first, next_one = one(batch).summary, one(batch).summary
    torch.manual_seed(5)

    torch.testing.assert_close(one(batch).summary, first)
    assert not torch.allclose(next_one, first)
    assert not torch.allclose(first, clean)
