"""The encoder of RobSurv: the layers of the cited network, codes on a grid, penalties, ablation."""

from __future__ import annotations

from typing import ClassVar

import pytest
import torch
from tests.robsurv.vq3d.small_encoder import SMALL, built, subjects, volume
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_robsurv.vq3d.decoder_network import DecoderNetwork
from survkit_robsurv.vq3d.residual_block import ResidualBlock, group_norm
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder


class TestAsInThePaper(EncoderConformance):
    component = VQ3DEncoder
    input = volume(16, 32, 16)
    settings: ClassVar = SMALL


class TestMovingAverages(EncoderConformance):
    component = VQ3DEncoder
    input = volume(16, 16, 16, channels=2)
    settings: ClassVar = SMALL | {
        "learning": "ema",
        "start": "kmeans",
        "code_dim": 4,
        "normalised": True,
        "restart_after": 2,
        "upsampling": "plain",
        "checkpointing": True,
    }


class TestWithoutQuantization(EncoderConformance):
    component = VQ3DEncoder
    input = volume(16, 16, 16)
    settings: ClassVar = SMALL | {"quantize": False}


class TestResNet(EncoderConformance):
    component = VQ3DEncoder
    input = volume(16, 16, 32)
    settings: ClassVar = SMALL | {"backbone": "resnet3d-18", "reconstruct": False}


def test_the_encoder_is_that_of_the_cited_network() -> None:
    """At full width 25,156,384 weights, one normalisation per residual block; without a computation
    128³ gives 8³ tokens of 512, and comes back.
    """
    with torch.device("meta"):
        encoder = VQ3DEncoder(volume(128, 128, 128))
        values = torch.zeros(1, 1, 128, 128, 128)
        features = encoder.network(values)
        decoder = encoder.decoder
        assert decoder is not None
        restored = decoder(features)

    assert sum(each.numel() for each in encoder.network.parameters()) == 25_156_384
    assert features.shape == (1, 512, 8, 8, 8)
    assert restored.shape == values.shape
    for network in (encoder.network, decoder):
        blocks = [each for each in network.modules() if isinstance(each, ResidualBlock)]
        assert len(blocks) == 5
        assert all(_count(block, nn.GroupNorm) == 1 for block in blocks)
        outside = _count(network, nn.Conv3d) - sum(_count(each, nn.Conv3d) for each in blocks)
        assert outside == 5
    norms = [each for each in encoder.modules() if isinstance(each, nn.GroupNorm)]
    assert {(each.num_groups, each.eps) for each in norms} == {(8, 1e-6)}
    spec = encoder.encoding
    assert (spec.dim, spec.grid, spec.tokens, spec.has_continuous) == (512, (8, 8, 8), 512, True)
    assert spec.penalties == ("codebook", "commitment", "reconstruction")


def _count(network: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(each, kind) for each in network.modules())


def test_convolutions_start_at_a_fiftieth() -> None:
    """N(0, 0.02²), biases 0."""
    with torch.no_grad():
        encoder = built(width=0.25)
    convolutions = [each for each in encoder.network.modules() if isinstance(each, nn.Conv3d)]
    weights = torch.cat([each.weight.detach().flatten() for each in convolutions])

    assert float(weights.mean().abs()) < 1e-3
    assert float(weights.std()) == pytest.approx(0.02, rel=0.01)
    assert all(not bool(each.bias.any()) for each in convolutions if each.bias is not None)


def test_a_residual_block_is_its_formula() -> None:
    """X + act(GN(conv(act(GN(conv(x)))))), twice the same GN."""
    torch.manual_seed(0)
    block = ResidualBlock(4, "leaky")
    features = torch.randn(2, 4, 3, 3, 3)
    norm, act = block.norm, nn.LeakyReLU(0.2)

    inner = act(norm(block.first(features)))
    expected = features + act(norm(block.second(inner)))

    torch.testing.assert_close(block(features), expected)


@pytest.mark.parametrize(
    ("channels", "groups"), [(512, 8), (32, 8), (16, 8), (8, 4), (4, 2), (6, 3), (3, 1), (1, 1)]
)
def test_groups_follow_the_width(channels: int, groups: int) -> None:
    """Eight, or the most that leave two channels in each."""
    assert group_norm(channels).num_groups == groups


@pytest.mark.parametrize("backbone", ["vqgan", "resnet3d-18"])
def test_the_grid_of_a_block_shaped_volume(backbone: str) -> None:
    """A sixteenth along each axis, in the order z, y, x; penalties for every subject."""
    encoder = built(16, 32, 48, backbone=backbone)

    encoding = encoder(subjects(encoder))

    assert encoder.encoding.grid == encoding.grid == (1, 2, 3)
    assert encoding.tokens.shape == (2, 6, 32)
    assert encoding.penalties["reconstruction"].shape == (2,)
    assert encoder.reconstruct(subjects(encoder).values).shape == (2, 1, 16, 32, 48)
    assert encoder.code_index(subjects(encoder).values).shape == (2, 1, 2, 3)


def test_tokens_are_in_the_order_of_the_grid() -> None:
    """Z slowest, x fastest, on the way to tokens and to codes and back to the decoder."""
    encoder = built(32, 16, 48)
    batch = subjects(encoder)
    assert encoder.quantizer is not None
    assert encoder.decoder is not None

    features = encoder.network(batch.values)

    assert torch.equal(encoder(batch).continuous, features.flatten(2).transpose(1, 2))
    codes = encoder.code_index(batch.values)
    quantized = encoder.quantizer.codebook[codes].movedim(4, 1)
    torch.testing.assert_close(encoder.decoder(quantized), encoder.reconstruct(batch.values))


def test_what_the_encoding_holds() -> None:
    """Tokens are codes, the twin is what they were chosen for, penalties are means of squares."""
    encoder = built(16, 16, 32)
    batch = subjects(encoder)
    assert encoder.quantizer is not None

    encoding = encoder(batch)

    codes = encoder.code_index(batch.values).flatten(1)
    torch.testing.assert_close(encoding.tokens, encoder.quantizer.codebook[codes])
    torch.testing.assert_close(encoding.summary, encoding.tokens.mean(dim=1))
    apart = (encoding.continuous - encoding.tokens).square().mean(dim=(1, 2))
    torch.testing.assert_close(encoding.penalties["codebook"], apart)
    torch.testing.assert_close(encoding.penalties["commitment"], apart)
    lost = (encoder.reconstruct(batch.values) - batch.values).square().mean(dim=(1, 2, 3, 4))
    torch.testing.assert_close(encoding.penalties["reconstruction"], lost)


def test_the_decoder_teaches_the_encoder_through_the_codes() -> None:
    """Equation 6 reaches the encoder straight through, and not the codebook."""
    encoder = built().train()

    encoder(subjects(encoder)).penalties["reconstruction"].sum().backward()

    assert encoder.quantizer is not None
    assert encoder.quantizer.codebook.grad is None
    assert all(bool(each.grad.abs().sum() > 0) for each in encoder.network.parameters())  # type: ignore[union-attr]


def test_without_penalties_no_decoder_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is most of the work."""
    encoder = built()

    def refuse(*_: object) -> Tensor:
        raise AssertionError("the decoder was run")

    monkeypatch.setattr(DecoderNetwork, "forward", refuse)

    assert encoder(subjects(encoder), penalties=False).penalties == {}
    with pytest.raises(AssertionError, match="was run"):
        encoder(subjects(encoder))


@pytest.mark.parametrize("reconstruct", [True, False])
def test_the_ablation_without_codes(reconstruct: bool) -> None:
    """Tokens are the features, with the same weights as those beside the codes."""
    with_codes = built(16, 16, 32, reconstruct=reconstruct)
    without = built(16, 16, 32, quantize=False, reconstruct=reconstruct)
    without.network.load_state_dict(with_codes.network.state_dict())
    batch = subjects(without)

    encoding = without(batch)

    assert encoding.continuous is None
    assert set(encoding.penalties) == ({"reconstruction"} if reconstruct else set())
    torch.testing.assert_close(encoding.tokens, with_codes(batch).continuous)
    with pytest.raises(CompositionError, match="no codebook"):
        without.code_index(batch.values)
    if not reconstruct:
        with pytest.raises(CompositionError, match="no decoder"):
            without.reconstruct(batch.values)


@pytest.mark.parametrize("learning", ["gradient", "ema"])
def test_penalties_of_a_way_of_learning(learning: str) -> None:
    """Moving averages need no codebook loss."""
    expected = ("codebook",) if learning == "gradient" else ()

    encoder = built(learning=learning, reconstruct=False)

    assert encoder.encoding.penalties == (*expected, "commitment")


@pytest.mark.parametrize("upsampling", ["transposed", "plain"])
def test_bfloat16(upsampling: str) -> None:
    """Under autocast tokens are bfloat16 codes, penalties float32, gradients finite.

    Grids of depth 2 are among the stages, where a convolution of the library gives NaN when the
    memory that it is given held NaN before.
    """
    encoder = built(32, 32, 48, upsampling=upsampling).train()
    batch = subjects(encoder)
    held = [torch.full((2**power,), torch.nan) for power in range(4, 20) for _ in range(3)]
    del held

    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoding = encoder(batch)
    (encoding.tokens.float().sum() + sum(encoding.penalties.values())).sum().backward()

    assert encoding.tokens.dtype == torch.bfloat16
    assert {value.dtype for value in encoding.penalties.values()} == {torch.float32}
    assert encoder.quantizer is not None
    codes = encoder.quantizer.codebook.detach().bfloat16()
    assert all((codes == token).all(dim=1).any() for token in encoding.tokens.flatten(0, 1))
    assert all(bool(each.grad.isfinite().all()) for each in encoder.parameters())  # type: ignore[union-attr]


def test_refusals() -> None:
    """Kind, size and settings, each in a sentence that says what fits."""
    with pytest.raises(CompositionError, match=r"needs a volume .* is a vector; vq quantizes"):
        VQ3DEncoder(InputSpec(kind="vector", shape=(3,)))
    with pytest.raises(CompositionError, match=r"of 16 .* is 16 x 40 x 8; .* 16 x 48 x 16"):
        VQ3DEncoder(volume(16, 40, 8))
    with pytest.raises(ConfigError, match=r"width must be at least 1/16, not 0\.05"):
        built(width=0.05)
    with pytest.raises(ConfigError, match="backbone is one of vqgan, resnet3d-18 and"):
        built(backbone="resnet18")
    with pytest.raises(ConfigError, match="codebook_size must be at least 2"):
        built(codebook_size=1)
    with pytest.raises(ConfigError, match="start_seed must lie between 0 and 2,147,483,647, not"):
        built(start_seed=2**31)
