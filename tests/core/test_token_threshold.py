"""The rule c / P, which the pruning of every plugin shares."""

from __future__ import annotations

import pytest
import torch

from survkit.token_threshold import above_threshold


def test_tokens_with_the_even_share_or_more_stay() -> None:
    """At c = 1 those with at least 1 / 4; at 2.4 those with 0.6; at 0 all."""
    share = torch.tensor([[0.1, 0.25, 0.05, 0.6]])

    assert above_threshold(share, 1.0).tolist() == [[False, True, False, True]]
    assert above_threshold(share, 2.4).tolist() == [[False, False, False, True]]
    assert bool(above_threshold(share, 0.0).all())


def test_the_most_important_stays_always() -> None:
    """One token, the first of equal ones, however high the threshold."""
    assert above_threshold(torch.full((2, 3, 4), 0.25), 9.0).sum(dim=-1).eq(1).all()


@pytest.mark.parametrize("tokens", [3, 7, 49, 144, 576])
def test_an_even_map_is_whole_at_one(tokens: int) -> None:
    """Rounding in float32 drops nobody; what is below by more than that is dropped."""
    share = torch.randn(tokens, generator=torch.Generator().manual_seed(0)).mul(1e-7).softmax(0)

    assert bool(above_threshold(share, 1.0).all())
    assert int(above_threshold(share, 1.001).sum()) == 1


def test_filling_is_no_token() -> None:
    """The even share is that of the real ones, and filling never stays."""
    share = torch.tensor([[0.5, 0.4, 0.1, 0.0], [0.3, 0.3, 0.2, 0.2]])
    real = torch.tensor([[True, True, True, False], [True] * 4])

    kept = above_threshold(share, 1.0, real)

    assert kept.tolist() == [[True, True, False, False], [True, True, False, False]]
    assert not above_threshold(share, 0.0, real)[0, 3]
