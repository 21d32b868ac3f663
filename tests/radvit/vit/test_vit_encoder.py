"""The encoder keeps the contract, and is the network that its papers describe."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
import torch
from tests.radvit.vit.cases import INPUT, PATCHES, SMALL, encoder, given, pictures

from survkit.errors import CompositionError, ConfigError
from survkit.protocols import Sample
from survkit.specs import InputSpec
from survkit.testing import EncoderConformance, PrunesTokensConformance
from survkit_radvit.vit.vit_encoder import VitEncoder


class TestGrey(PrunesTokensConformance):
    component = VitEncoder
    input = INPUT
    settings: ClassVar = SMALL


class TestColourLastBlocks(EncoderConformance):
    component = VitEncoder
    input = InputSpec(kind="image", shape=(3, 32, 32))
    settings: ClassVar = SMALL | {"tune": "last-blocks", "blocks": 1, "dropout": 0.1}


class TestPrunedBySubject(PrunesTokensConformance):
    component = VitEncoder
    input = INPUT
    settings: ClassVar = SMALL | {"prune_at": 1, "threshold": 1.0}


class TestFrozenWithRegisters(EncoderConformance):
    component = VitEncoder
    input = InputSpec(kind="image", shape=(1, 28, 28))
    settings: ClassVar = SMALL | {
        "backbone": "vit_small_patch14_reg4_dinov2",
        "patch": 14,
        "tune": "none",
    }


def test_the_default_is_vit_b_32_at_384() -> None:
    """12 blocks, 144 patches, and the number of weights that the architecture's formula gives."""
    built = VitEncoder(InputSpec(kind="image", shape=(1, 384, 384)), weights=None)
    dim, wide, patches, depth = 768, 3072, 144, 12
    patch = 3 * 32 * 32 * dim + dim
    attention = dim * 3 * dim + 3 * dim + dim * dim + dim
    feed_forward = dim * wide + wide + wide * dim + dim
    norm = 2 * dim
    block = attention + feed_forward + 2 * norm

    count = sum(each.numel() for each in built.parameters())
    trains = sum(each.numel() for each in built.parameters() if each.requires_grad)

    assert count == patch + dim + (patches + 1) * dim + depth * block + norm
    assert trains == 2 * block + norm
    assert built.encoding.grid == (12, 12)
    assert built.encoding.dim == dim


@pytest.mark.parametrize(
    "backbone", ["vit_tiny_patch16_224", "vit_base_patch32_clip_224", "deit3_small_patch16_224"]
)
def test_unpruned_it_is_timms_own_forward(backbone: str) -> None:
    """Class token and patches to 1e-5: with the position of the class token, without, with a
    normalisation before the first block, with scaled layers.
    """
    one = encoder(backbone=backbone)
    values = pictures()

    encoding = one(given(values))

    expected = one.network.vit.forward_features(one.scale(values))
    torch.testing.assert_close(encoding.summary, expected[:, 0], rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(encoding.tokens, expected[:, 1:], rtol=1e-5, atol=1e-5)
    assert encoding.token_mask is None


def test_pictures_are_stretched_one_by_one() -> None:
    """Neither unit nor offset of the pixels matters; one value everywhere becomes 0, not NaN."""
    one = encoder()
    values = pictures()

    expected, found = one(given(values)), one(given(values * 4095 - 1024))
    flat = one.scale(torch.full((1, 1, 24, 32), 7.0))

    torch.testing.assert_close(found.summary, expected.summary, rtol=1e-3, atol=1e-3)
    scaled = one.scale(values)
    torch.testing.assert_close(scaled.amin(dim=(1, 2, 3)), torch.full((4,), -1.0))
    torch.testing.assert_close(scaled.amax(dim=(1, 2, 3)), torch.full((4,), 1.0))
    assert bool((flat == -1).all())


def test_grey_is_repeated_to_three_channels() -> None:
    """A colour picture of three equal channels is encoded as the grey one."""
    grey = encoder()
    colour = encoder(input=InputSpec(kind="image", shape=(3, 24, 32)))
    values = pictures()

    found = colour(given(values.expand(-1, 3, -1, -1)))

    torch.testing.assert_close(found.summary, grey(given(values)).summary, rtol=0, atol=0)


def test_what_is_frozen_is_not_random_in_training() -> None:
    """Dropout acts in the blocks that train alone; nothing else moves."""
    one = encoder(tune="last-blocks", blocks=1, dropout=0.5).train()
    values = pictures()
    vit = one.network.vit

    before = [each(vit.norm_pre(torch.ones(1, 5, 16))) for each in (vit.blocks[0], vit.blocks[0])]
    first, second = one(given(values)).summary, one(given(values)).summary

    assert torch.equal(*before)
    assert not torch.equal(first, second)
    trains = {name for name, each in one.named_parameters() if each.requires_grad}
    assert {name.split(".")[2] for name in trains} == {"blocks", "norm"}
    assert all(".blocks.2." in name or ".norm." in name for name in trains)


def test_bfloat16_autocast_is_close() -> None:
    """Weights still sum to one in float32, and the class token is the same to bfloat16."""
    one = encoder(prune_at=1, threshold=0.0)
    values = pictures()

    expected = one(given(values))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = one(given(values))

    assert found.attention_weights.dtype == torch.float32
    torch.testing.assert_close(found.attention_weights.sum(dim=1), torch.ones(4))
    torch.testing.assert_close(found.summary.float(), expected.summary, rtol=0, atol=0.15)


def test_patches_and_regions_lie_where_the_tokens_do() -> None:
    """A bright patch and a region over it are found at its place on the grid of 3 x 4."""
    one = encoder()
    values = torch.zeros(1, 24, 32)
    values[:, 8:16, 24:32] = 1
    mask = values[0] > 0
    mask[8:12] = False
    sample = Sample(values=values, mask=mask)

    images, share = one.token_images(sample), one.token_mask_share(sample)

    assert images.mean(dim=(1, 2)).tolist() == [float(place == 7) for place in range(PATCHES)]
    assert share.tolist() == [0.5 * (place == 7) for place in range(PATCHES)]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backbone": "vit_tinny_patch16_224"}, "Did you mean 'vit_tiny_patch16_224'"),
        ({"backbone": "vit_tiny_patch16_224.nope"}, "no weights 'nope'.*it has augreg"),
        ({"backbone": "vit_base_patch16_siglip_224"}, "of backbone .* it has no class token"),
        ({"backbone": "resnet18", "patch": None}, "plain Vision Transformers, such as vit_base"),
        (
            {"patch": 7},
            r"7 x 7 pixels and do not tile a picture of 24 x 32; declare size: \[21, 35",
        ),
        ({"heads": 3}, "cannot build backbone.*heads"),
        ({"depth": 0}, "depth is at least 1"),
        ({"dropout": 1.0}, "dropout is in"),
        ({"weights": "pretrained"}, "dim, depth, heads describe a network of another size"),
        ({"tune": "half"}, "tune must be one of last-blocks, all, none"),
        ({"tune": "last-blocks", "blocks": 4}, "is 1 to 3, not 4"),
        ({"prune_at": 1}, "belong together"),
        ({"threshold": 1.0}, "belong together"),
        ({"prune_at": 3, "threshold": 1.0}, "1 to 2 of 3, not 3"),
        ({"prune_at": 1, "threshold": -0.1}, "at least 0"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], said: str) -> None:
    """In a sentence that says what would do."""
    with pytest.raises(ConfigError, match=said):
        VitEncoder(INPUT, **(SMALL | settings))


@pytest.mark.parametrize(
    ("input", "said"),
    [
        (InputSpec(kind="image", shape=(2, 32, 32)), "image of 2 channels"),
        (InputSpec(kind="image", shape=(1, 32, 32), has_tokens=True), "many pictures"),
        (InputSpec(kind="volume", shape=(1, 8, 8, 8)), "this one is a volume"),
    ],
)
def test_what_is_no_picture_is_refused(input: InputSpec, said: str) -> None:
    """By its kind, channels or number."""
    with pytest.raises(CompositionError, match=said):
        VitEncoder(input, **SMALL)
