"""One transposed convolution is an upsampling and a convolution."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor

from survkit_robsurv.vq3d.decoder_network import DecoderNetwork
from survkit_robsurv.vq3d.upsample_conv import UpsampleConv

TOLERANCE = {torch.float64: 5e-14, torch.float32: 1e-5}


def pair(dtype: torch.dtype) -> tuple[UpsampleConv, UpsampleConv]:
    torch.manual_seed(0)
    fast = UpsampleConv(3, 2, "transposed").to(dtype)
    plain = deepcopy(fast)
    plain.upsampling = "plain"
    return fast, plain


def with_gradients(layer: torch.nn.Module, features: Tensor) -> list[Tensor]:
    """Return the result, and the gradients of weights, biases and input."""
    given = features.clone().requires_grad_()
    result = layer(given)
    (result * torch.linspace(-1, 1, result.numel()).to(result).view_as(result)).sum().backward()
    gradients = [each.grad for each in layer.parameters()]
    return [result.detach(), *(each for each in [*gradients, given.grad] if each is not None)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_both_forms_are_equal(dtype: torch.dtype) -> None:
    """Values and gradients, on a grid that is no cube."""
    features = torch.randn(2, 3, 2, 3, 4, dtype=dtype, generator=torch.Generator().manual_seed(1))

    found, expected = (with_gradients(layer, features) for layer in pair(dtype))

    assert found[0].shape == (2, 2, 4, 6, 8)
    assert len(found) == 4
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=10 * tolerance)


def test_a_whole_decoder_is_equal() -> None:
    """With the same state, which is that of the plain form; gradients too."""
    decoders = []
    for upsampling in ("transposed", "plain"):
        torch.manual_seed(0)
        decoders.append(
            DecoderNetwork((8, 4, 4, 2, 2), 1, upsampling=upsampling, checkpointing=False)  # type: ignore[arg-type]
        )
    features = torch.randn(1, 8, 1, 2, 1, generator=torch.Generator().manual_seed(1))

    found, expected = (with_gradients(each.double(), features.double()) for each in decoders)

    assert found[0].shape == (1, 1, 16, 32, 16)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)


def test_checkpointing_changes_no_number() -> None:
    """It is the same computation, done twice."""
    results = []
    for checkpointing in (False, True):
        torch.manual_seed(0)
        decoder = DecoderNetwork(
            (8, 4, 4, 2, 2), 1, upsampling="transposed", checkpointing=checkpointing
        )
        results.append(with_gradients(decoder, torch.ones(1, 8, 1, 1, 1)))

    torch.testing.assert_close(results[1], results[0], rtol=0, atol=0)
