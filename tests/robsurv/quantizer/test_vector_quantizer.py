"""Straight-through gradient, losses, masks and half precision of the quantizer."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit.errors import ConfigError
from survkit.protocols import FollowsTraining, TellsHealth
from survkit_robsurv.quantizer.vector_quantizer import VectorQuantizer


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def built(dim: int = 6, **settings: object) -> VectorQuantizer:
    """Return a small quantizer whose codes are spread as the tokens are."""
    torch.manual_seed(0)
    quantizer = VectorQuantizer(dim, **({"codebook_size": 8} | settings))  # type: ignore[arg-type]
    with torch.no_grad():
        quantizer.codebook.copy_(drawn(*quantizer.codebook.shape, seed=5))
    return quantizer


def test_what_it_is() -> None:
    """1,024 codes of the tokens' width, uniform in ±1/1,024, moved by a gradient."""
    quantizer = VectorQuantizer(512)

    assert isinstance(quantizer, FollowsTraining)
    assert isinstance(quantizer, TellsHealth)
    assert quantizer.codebook.shape == (1024, 512)
    assert quantizer.codebook.requires_grad
    assert 0.99 / 1024 < float(quantizer.codebook.detach().abs().max()) <= 1 / 1024
    assert quantizer.penalties == ("codebook", "commitment")


def test_the_value_is_the_code_and_the_gradient_is_the_token_s() -> None:
    """Straight through, exactly: z + sg(c - z)."""
    quantizer = built()
    tokens = drawn(2, 5, 6).requires_grad_()
    weights = drawn(2, 5, 6, seed=2)

    found = quantizer(tokens)
    (found.quantized * weights).sum().backward()

    assert torch.equal(found.quantized, quantizer.codebook[found.code_index])
    assert torch.equal(tokens.grad, weights)  # type: ignore[arg-type]
    assert quantizer.codebook.grad is None, "what follows does not move the codes"


def test_codebook_loss_moves_codes_alone() -> None:
    """Equation 4: the gradient of code k is 2/(tokens * dim) times the sum of (c_k - z) over its
    tokens.
    """
    quantizer = built().double()
    tokens = drawn(1, 20, 6).double().requires_grad_()

    found = quantizer(tokens)
    found.losses["codebook"].sum().backward()

    codes = quantizer.codebook.detach()
    expected = torch.zeros_like(codes)
    for token, code in zip(tokens.detach()[0], found.code_index[0].tolist(), strict=True):
        expected[code] += 2 * (codes[code] - token) / (20 * 6)
    torch.testing.assert_close(quantizer.codebook.grad, expected)
    assert tokens.grad is None


def test_commitment_loss_moves_tokens_alone() -> None:
    """Equation 5: the same number, and 2/(tokens * dim) * (z - c) at each token."""
    quantizer = built().double()
    tokens = drawn(3, 20, 6).double().requires_grad_()

    found = quantizer(tokens)
    found.losses["commitment"].sum().backward()

    difference = tokens.detach() - quantizer.codebook.detach()[found.code_index]
    torch.testing.assert_close(tokens.grad, 2 * difference / (20 * 6))
    torch.testing.assert_close(found.losses["commitment"], difference.square().mean(dim=(1, 2)))
    torch.testing.assert_close(found.losses["codebook"], found.losses["commitment"])
    assert quantizer.codebook.grad is None


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_a_mask_is_a_shorter_input(learning: str) -> None:
    """Losses, counts and moved codes of a masked subject are those of its real tokens."""
    settings = {"learning": learning, "restart_after": 1}
    whole, cut = built(**settings).train(), built(**settings).train()
    tokens, mask = drawn(1, 9, 6), torch.tensor([[True, False, True] * 3])

    found, expected = whole(tokens, mask), cut(tokens[mask][None])
    health = []
    for each in (whole, cut):
        torch.manual_seed(3)
        each.after_step()
        health.append(each.epoch_health())

    torch.testing.assert_close(found.losses, expected.losses)
    assert torch.equal(found.code_index[mask][None], expected.code_index)
    assert torch.equal(whole.codebook, cut.codebook)
    assert health[0] == health[1]


def test_a_subject_without_a_token_has_no_loss() -> None:
    """And no NaN in anybody's gradient."""
    quantizer = built()
    tokens = drawn(2, 3, 6).requires_grad_()
    mask = torch.tensor([[True, True, True], [False, False, False]])

    found = quantizer(tokens, mask)
    found.losses["commitment"].sum().backward()

    assert found.losses["commitment"][1] == 0
    assert bool(tokens.grad.isfinite().all())  # type: ignore[union-attr]
    assert not bool(tokens.grad[1].any())  # type: ignore[index]


def test_narrow_codes_have_a_map_to_them_and_back() -> None:
    """Tokens of 6 become codes of 3, and 6 again; both maps learn."""
    quantizer = built(code_dim=3)
    tokens = drawn(2, 5, 6).requires_grad_()

    found = quantizer(tokens)
    (found.quantized.square().sum() + found.losses["commitment"].sum()).backward()

    assert quantizer.codebook.shape == (8, 3)
    torch.testing.assert_close(found.quantized, quantizer.vectors(found.code_index))
    for layer in (quantizer.project_in, quantizer.project_out):
        assert bool(layer.weight.grad.abs().sum() > 0)  # type: ignore[union-attr, operator]


def test_normalised_codes_are_chosen_by_angle() -> None:
    """The code of the largest cosine, whatever the lengths, and a result of length 1."""
    quantizer = built(normalised=True)
    tokens = drawn(2, 5, 6) * torch.rand(2, 5, 1).mul(10)

    found = quantizer(tokens)

    cosine = torch.cosine_similarity(tokens[:, :, None], quantizer.codebook[None, None], dim=3)
    assert torch.equal(found.code_index, cosine.argmax(dim=2))
    torch.testing.assert_close(found.quantized.norm(dim=2), torch.ones(2, 5))
    torch.testing.assert_close(found.losses["commitment"], (2 - 2 * cosine.amax(2)).mean(1) / 6)


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_half_precision(learning: str) -> None:
    """Tokens of bfloat16 give bfloat16 codes and float32 losses, with autocast and without."""
    quantizer = built(learning=learning, code_dim=3).train()
    tokens = drawn(2, 5, 6).bfloat16().requires_grad_()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = quantizer(tokens)
    (found.quantized.float().sum() + found.losses["commitment"].sum()).backward()
    quantizer.after_step()

    assert found.quantized.dtype == torch.bfloat16
    assert found.losses["commitment"].dtype == torch.float32
    assert bool(tokens.grad.isfinite().all())  # type: ignore[union-attr]
    assert quantizer.codebook.dtype == torch.float32


def test_looking_up_counts_nothing() -> None:
    """Nor does anything in eval mode."""
    quantizer = built(restart_after=1, learning="ema").train()
    before = {name: value.clone() for name, value in quantizer.named_buffers()}

    quantizer.code_index(drawn(2, 5, 6))
    quantizer.eval()(drawn(2, 5, 6))

    for name, value in quantizer.named_buffers():
        assert torch.equal(value, before[name]), name
    assert quantizer.epoch_health() is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"codebook_size": 1}, "codebook_size must be at least 2, not 1$"),
        ({"code_dim": 0}, "code_dim must be at least 1 or null, not 0$"),
        ({"learning": "sgd"}, "learning is one of gradient, ema"),
        ({"start": "random"}, "start one of uniform, kmeans"),
        ({"restart_after": 0}, "restart_after must be at least 1 step or null, not 0"),
        ({"decay": 1.0}, r"decay must be in \[0, 1\)"),
    ],
)
def test_refusals(settings: dict[str, object], message: str) -> None:
    """Each names the setting."""
    with pytest.raises(ConfigError, match=message):
        built(**settings)
