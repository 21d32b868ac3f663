"""The encoder of RobSurv: the layers of the cited network, codes on a grid, penalties, ablation."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import ModalityInput
from survkit.model import encode_present
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance
from survkit_robsurv.vq3d.decoder_network import DecoderNetwork
from survkit_robsurv.vq3d.residual_block import ResidualBlock, group_norm
from survkit_robsurv.vq3d.vq3d_encoder import VQ3DEncoder

SMALL: dict[str, Any] = {"width": 0.0625, "codebook_size": 16}


def volume(*size: int, channels: int = 1) -> InputSpec:
    return InputSpec(kind="volume", shape=(channels, *size))


def subjects(encoder: VQ3DEncoder, count: int = 2, *, seed: int = 0) -> ModalityInput:
    """Return made-up subjects that the encoder can reconstruct."""
    generator = torch.Generator().manual_seed(seed)
    rows = [encoder.prepared_example(generator=generator) for _ in range(count)]
    return everybody(torch.stack(rows))


def everybody(values: Tensor) -> ModalityInput:
    """Return a batch of subjects who all have the modality."""
    return ModalityInput(values, torch.ones(len(values), dtype=torch.bool))


def built(*size: int, **settings: Any) -> VQ3DEncoder:
    torch.manual_seed(0)
    return VQ3DEncoder(volume(*size or (16, 16, 16)), **(SMALL | settings))


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


def test_codes_start_from_training_tokens_however_batches_are_cut() -> None:
    """To the last bit; another seed gives other codes; the mode is left as it was."""
    settings = {"start": "kmeans", "codebook_size": 4, "learning": "ema", "reconstruct": False}
    books = []
    for cut, seed in ((6, 0), (1, 0), (4, 0), (6, 1)):
        encoder = built(16, 16, 32, start_seed=seed, **settings).train()
        whole = subjects(encoder, 6)
        parts = [
            ModalityInput(part, torch.ones(len(part)).bool()) for part in whole.values.split(cut)
        ]
        encoder.fit_batches(iter(parts))
        assert encoder.quantizer is not None
        assert encoder.quantizer.training
        books.append(encoder.quantizer.codebook)
        assert encoder.quantizer.epoch_health() is None, "looking for a start is no training"

    assert torch.equal(books[0], books[1])
    assert torch.equal(books[0], books[2])
    assert not torch.equal(books[0], books[3])
    features = encoder.eval()(whole).continuous.flatten(0, 1)
    spread = (features - features.mean(0)).square().sum(1).mean()
    inside = torch.cdist(features, books[0]).amin(1).square().mean()
    assert inside < 0.8 * spread


def test_values_that_a_tanh_cannot_reach_are_refused() -> None:
    """Found among the training subjects, before anything is trained."""
    encoder = built()
    batches = [
        subjects(encoder),
        ModalityInput(200 * subjects(encoder).values, torch.ones(2).bool()),
    ]

    with pytest.raises(
        DataError, match=r"in \[-1, 1\], but .* go from -199\.\d+ to 199\.\d+; give"
    ):
        encoder.fit_batches(batches)

    built(reconstruct=False).fit_batches(batches)
    encoder.fit_batches(batches[:1])


def test_trained_weights_are_no_leave_for_such_values() -> None:
    """The range is looked at and nothing moves, neither codes nor where the decoder begins."""
    encoder = built(start="kmeans")
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    bright = ModalityInput(200 * subjects(encoder).values, torch.ones(2).bool())

    encoder.check_batches([subjects(encoder)])
    with pytest.raises(DataError, match=r"in \[-1, 1\], but .* go from -199"):
        encoder.check_batches([subjects(encoder), bright])

    built(reconstruct=False).check_batches([bright])
    after = encoder.state_dict()
    assert [name for name in before if not torch.equal(before[name], after[name])] == []


def test_the_decoder_begins_at_the_mean_of_training_subjects() -> None:
    """Of each channel, to the last bit however batches are cut, and finite for dark volumes."""
    made = []
    for cut in (4, 1, 3):
        encoder = VQ3DEncoder(InputSpec(kind="volume", shape=(2, 16, 16, 16)), width=0.0625).eval()
        generator = torch.Generator().manual_seed(0)
        values = torch.rand(4, 2, 16, 16, 16, generator=generator) - torch.tensor([1.0, 0.5]).view(
            2, 1, 1, 1
        )
        parts = [ModalityInput(one, torch.ones(len(one)).bool()) for one in values.split(cut)]
        encoder.fit_batches(iter(parts))
        assert encoder.decoder is not None
        made.append(encoder.decoder.last.bias.detach().clone())

    torch.testing.assert_close(made[0].tanh(), values.mean((0, 2, 3, 4)), atol=1e-6, rtol=0)
    assert torch.equal(made[0], made[1])
    assert torch.equal(made[0], made[2])
    with torch.no_grad():
        first = encoder.reconstruct(values).mean((0, 2, 3, 4))
    torch.testing.assert_close(first, made[0].tanh(), atol=0.1, rtol=0)
    encoder.fit_batches([ModalityInput(-torch.ones(1, 2, 16, 16, 16), torch.ones(1).bool())])
    assert bool(encoder.decoder.last.bias.isfinite().all())


def test_absent_subjects_are_not_counted() -> None:
    """A micro-batch of a model with an absent subject: zeros for it, codes of the other counted."""
    encoder = built(16, 16, 32).train()
    values = subjects(encoder).values
    values[0] = 0
    input = ModalityInput(values, torch.tensor([False, True]), complete=False)

    encoding = encode_present(encoder, input, penalties=True)

    assert encoder.quantizer is not None
    assert int(encoder.quantizer.counted.step.sum()) == 2
    assert not bool(encoding.tokens[0].any())
    assert all(value[0] == 0 < value[1] for value in encoding.penalties.values())


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
