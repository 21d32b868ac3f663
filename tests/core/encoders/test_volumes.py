"""The 3-D convolutional encoders: grids, published sizes, normalisation, refusals."""

from __future__ import annotations

import sys

import pytest
import torch
from torch import nn

from survkit.encoders.densenet3d import DenseNet3DEncoder
from survkit.encoders.resnet3d import ResNet3DEncoder
from survkit.errors import CompositionError, ConfigError, MissingExtraError
from survkit.flow import ModalityInput
from survkit.specs import InputSpec

ENCODERS = [ResNet3DEncoder, DenseNet3DEncoder]


def volume(*size: int) -> InputSpec:
    return InputSpec(kind="volume", shape=(1, *size))


def given(spec: InputSpec, subjects: int = 1) -> ModalityInput:
    values = torch.randn(subjects, *spec.shape, generator=torch.Generator().manual_seed(0))
    return ModalityInput(values, torch.ones(subjects, dtype=torch.bool))


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize(
    ("stem", "stride", "size", "grid"),
    [
        ("standard", 1, (16, 33, 65), (1, 2, 3)),
        ("small", 2, (16, 17, 48), (1, 2, 3)),
        ("small", 1, (16, 17, 24), (2, 3, 3)),
    ],
)
def test_the_grid_follows_from_the_size(
    kind: type[ResNet3DEncoder], stem: str, stride: int, size: tuple[int, ...], grid: object
) -> None:
    """One token per 32, 16 or 8 voxels along each axis, rounded up: declared and measured."""
    spec = volume(*size)
    encoder = kind(spec, width=0.0625, stem=stem, stem_stride=stride, norm="group").eval()

    encoding = encoder(given(spec))

    assert encoder.encoding.grid == grid
    assert encoding.tokens.shape == (1, encoder.encoding.tokens, encoder.encoding.dim)


@pytest.mark.parametrize(
    ("kind", "weights", "dim"),
    [(ResNet3DEncoder, 33_160_000, 512), (DenseNet3DEncoder, 11_242_624, 1024)],
)
def test_full_width_is_the_published_network(
    kind: type[ResNet3DEncoder], weights: int, dim: int
) -> None:
    """Numbers of weights of ResNet-18 (no bias in shortcuts) and DenseNet-121, without heads."""
    encoder = kind(volume(16, 16, 16))

    assert sum(each.numel() for each in encoder.parameters()) == weights
    assert encoder.encoding.dim == dim


@pytest.mark.parametrize("kind", ENCODERS)
@pytest.mark.parametrize("norm", ["group", "instance"])
def test_no_batch_normalisation_is_left(kind: type[ResNet3DEncoder], norm: str) -> None:
    """In training a subject is encoded alike whoever else is in its micro-batch."""
    torch.manual_seed(0)
    spec = volume(32, 32, 32)
    encoder = kind(spec, width=0.0625, stem="small", stem_stride=2, norm=norm).train()
    batch = given(spec, 2)
    alone = ModalityInput(batch.values[:1], batch.present[:1])

    together = encoder(batch).summary[0]

    assert not any(isinstance(each, nn.BatchNorm3d) for each in encoder.modules())
    torch.testing.assert_close(encoder(alone).summary[0], together, rtol=1e-4, atol=1e-4)


def test_the_densenet_is_monai_s_at_multiples_of_32() -> None:
    """Rounding up between the blocks changes nothing where there is nothing to round."""
    from monai.networks.nets.densenet import DenseNet

    spec = volume(32, 32, 32)
    torch.manual_seed(0)
    encoder = DenseNet3DEncoder(spec, width=0.0625).eval()
    reference = DenseNet(3, 1, 1, init_features=4, growth_rate=2, block_config=(6, 12, 24, 16))
    reference.features.load_state_dict(encoder.network.state_dict())

    batch = given(spec)
    expected = reference.eval().features(batch.values).relu().mean(dim=(2, 3, 4))

    torch.testing.assert_close(encoder(batch).summary, expected)


@pytest.mark.parametrize("kind", ENCODERS)
def test_what_cannot_be_used_is_refused(kind: type[ResNet3DEncoder]) -> None:
    """Kind, size and settings, each in a sentence that says what fits."""
    with pytest.raises(CompositionError, match=r"needs a volume .* is a vector; tabular"):
        kind(InputSpec(kind="vector", shape=(3,)))
    with pytest.raises(CompositionError, match=r"at least 16 voxels .* is 16 x 8 x 16"):
        kind(volume(16, 8, 16))
    with pytest.raises(ConfigError, match="norm must be one of batch, group, instance, not 'lay"):
        kind(volume(16, 16, 16), width=0.0625, norm="layer")
    with pytest.raises(ConfigError, match="stem must be one of standard, small, not 'tiny'"):
        kind(volume(16, 16, 16), stem="tiny")
    with pytest.raises(ConfigError, match="stem_stride must be 1 or 2, not 3"):
        kind(volume(16, 16, 16), stem="small", stem_stride=3)
    with pytest.raises(ConfigError, match="width must be at least"):
        kind(volume(16, 16, 16), width=0.01)
    with pytest.raises(ConfigError, match="which is one voxel"):
        kind(volume(16, 16, 16), width=0.0625, norm="instance")


@pytest.mark.parametrize("kind", ENCODERS)
def test_without_monai_the_message_is_the_cure(
    kind: type[ResNet3DEncoder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Core alone has no MONAI; the encoder says how to get it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "monai"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "monai", None)

    with pytest.raises(MissingExtraError, match=r'pip install "survkit-core\[imaging\]"'):
        kind(volume(16, 16, 16))
