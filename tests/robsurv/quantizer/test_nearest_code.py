"""The nearest code is the one that a loop over float64 distances finds."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit_robsurv.quantizer import nearest_code as module
from survkit_robsurv.quantizer.nearest_code import nearest_code


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def by_hand(tokens: Tensor, codebook: Tensor) -> Tensor:
    """Return the nearest codes, one token at a time, without expanding a square."""
    nearest = [(codebook.double() - token).square().sum(1).argmin() for token in tokens.double()]
    return torch.stack(nearest)


@pytest.mark.parametrize("offset", [0.0, 100.0, -1000.0])
def test_brute_force(offset: float) -> None:
    """Also where tokens and codes lie far from the origin."""
    tokens, codebook = drawn(300, 64, seed=0) + offset, drawn(128, 64, seed=1) + offset

    torch.testing.assert_close(nearest_code(tokens, codebook), by_hand(tokens, codebook))


def test_without_the_mean_digits_are_lost() -> None:
    """The plain expansion errs at that offset, so the test above tests something."""
    tokens, codebook = drawn(300, 64, seed=0) - 1000, drawn(128, 64, seed=1) - 1000

    plain = torch.addmm(codebook.square().sum(1), tokens, codebook.T, alpha=-2).argmin(1)

    assert (plain != by_hand(tokens, codebook)).any()


def test_of_equals_the_lowest_is_taken() -> None:
    """On whole numbers, where distances are exact: twins, and codes on both sides of a token."""
    codebook = torch.tensor([[4.0, 0.0], [0.0, 4.0], [0.0, 4.0], [-4.0, -8.0]])
    tokens = torch.tensor([[0.0, 4.0], [1.0, 5.0], [2.0, 2.0], [-4.0, -7.0]])

    assert nearest_code(tokens, codebook).tolist() == [1, 1, 0, 3]


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded by looking tokens up in portions."""
    tokens, codebook = drawn(50, 8, seed=0), drawn(16, 8, seed=1)
    whole = nearest_code(tokens, codebook)
    monkeypatch.setattr(module, "TOKENS_AT_ONCE", 7)

    assert torch.equal(nearest_code(tokens, codebook), whole)


def test_half_precision_tokens_are_looked_up_in_float32() -> None:
    """Autocast does not reach the lookup."""
    tokens, codebook = drawn(200, 64, seed=0).bfloat16(), drawn(128, 64, seed=1)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = nearest_code(tokens, codebook)

    assert torch.equal(found, by_hand(tokens, codebook))
