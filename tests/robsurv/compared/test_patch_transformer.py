"""TMSS keeps the contract of fusions; tokens, masks, and the decoder that serves the penalty."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from tests.robsurv.compared.systems import ALL, IMAGES, SMALL, UNMASKED, built, subjects
from torch import nn

from survkit.errors import CompositionError, ConfigError
from survkit.fusions.token_attention import AttentionBlock
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance
from survkit_robsurv.compared.patch_decoder import PatchDecoder
from survkit_robsurv.compared.patch_transformer import PatchTransformer
from survkit_robsurv.compared.voxels import VoxelSpec


class TestImages(FusionConformance):
    component = PatchTransformer
    encodings = IMAGES
    settings = UNMASKED[PatchTransformer]


class TestImagesAndTable(FusionConformance):
    component = PatchTransformer
    encodings: ClassVar = {**IMAGES, "clinical": EncodingSpec(dim=3), "blood": EncodingSpec(dim=2)}
    settings = UNMASKED[PatchTransformer]


class TestWithMask(FusionConformance):
    component = PatchTransformer
    encodings = ALL
    settings = SMALL[PatchTransformer]


def test_a_layer_is_pytorchs() -> None:
    """Normalised first, GELU; PyTorch's keys have a bias, which a softmax ignores."""
    torch.manual_seed(0)
    ours = AttentionBlock(8, heads=2, feed_forward=12, dropout=0.0).double()
    reference = nn.TransformerEncoderLayer(
        8, 2, 12, 0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    tokens = torch.randn(3, 5, 8, dtype=torch.float64)
    with torch.no_grad():
        reference.self_attn.in_proj_weight.copy_(
            torch.cat([ours.query.weight, ours.key.weight, ours.value.weight])
        )
        biases = [ours.query.bias, torch.randn(8).double(), ours.value.bias]
        reference.self_attn.in_proj_bias.copy_(torch.cat(biases))
    reference.self_attn.out_proj.load_state_dict(ours.output.state_dict())
    reference.norm1.load_state_dict(ours.norm.state_dict())
    reference.norm2.load_state_dict(ours.feed_forward[0].state_dict())
    reference.linear1.load_state_dict(ours.feed_forward[1].state_dict())
    reference.linear2.load_state_dict(ours.feed_forward[4].state_dict())

    result = ours(tokens, torch.ones(3, 5, dtype=torch.bool))

    torch.testing.assert_close(result, reference(tokens))


def test_masked_tokens_are_as_if_they_were_not_there() -> None:
    """A subject without the table is fused as by a transformer over patches alone."""
    fusion = built(PatchTransformer, {**IMAGES, "clinical": EncodingSpec(dim=3)}, target=None)
    alone = built(PatchTransformer, IMAGES, target=None)
    state = {key: value for key, value in fusion.state_dict().items() if "vectors" not in key}
    alone.load_state_dict(state)
    given = subjects(names=("ct", "pet", "clinical"))
    without = replace(given["clinical"], present=torch.zeros(4, dtype=torch.bool))

    embedding = fusion(given | {"clinical": without}).embedding

    expected = alone({name: given[name] for name in IMAGES}).embedding
    torch.testing.assert_close(embedding, expected)


def test_every_table_is_one_token_beside_the_patches() -> None:
    """8 patches and 2 tables: the mean is over 10 tokens, or over 2 without images."""
    specs = {**IMAGES, "clinical": EncodingSpec(dim=3), "blood": EncodingSpec(dim=2)}
    fusion = built(PatchTransformer, specs, target=None)
    given = subjects(1, names=("ct", "pet", "clinical"))
    given["blood"] = replace(
        given["clinical"], tokens=torch.ones(1, 1, 2).double(), summary=torch.ones(1, 2).double()
    )

    tokens, real = fusion._tokens(given, torch.tensor([False]))

    assert tokens.shape == (1, 10, 16)
    assert real.sum() == 2


def test_the_decoder_reads_evenly_spaced_layers() -> None:
    """UNETR's 3, 6, 9 and 12 (from 1) of 12 for patches of 16; 4, 8 and 12 for patches of 8."""
    for patch, layers in ((16, [3, 6, 9, 12]), (8, [4, 8, 12])):
        voxels = VoxelSpec(dim=patch**3, tokens=1, grid=(1, 1, 1), patch=patch)

        decoder = PatchDecoder(1, voxels, 4, 12, 2)

        assert [number + 1 for number in decoder.taken] == layers


def test_a_drawing_has_the_size_of_the_image() -> None:
    """Whatever the grid."""
    voxels = VoxelSpec(dim=64, tokens=6, grid=(1, 2, 3), patch=4)
    decoder = PatchDecoder(2, voxels, 8, 3, 2)

    logits = decoder(torch.randn(1, 2, 4, 8, 12), [torch.randn(1, 7, 8) for _ in range(3)])

    assert logits.shape == (1, 1, 4, 8, 12)


def test_without_a_mask_there_is_no_decoder() -> None:
    """So nothing is run that no loss reads."""
    assert built(PatchTransformer, IMAGES, target=None).decoder is None
    assert built(PatchTransformer, ALL).decoder is not None


def test_where_nobody_has_a_mask_nothing_is_drawn() -> None:
    """At inference: the penalty is 0 all the same, and the decoder, most of the work, is left."""
    fusion, given = built(PatchTransformer, ALL), subjects()
    nobody = replace(given["gtv"], present=torch.zeros(4, dtype=torch.bool))
    calls: list[int] = []
    fusion.decoder.register_forward_hook(lambda *_: calls.append(1))

    with torch.no_grad():
        left = fusion(given | {"gtv": nobody}).penalties["segmentation"]
    assert calls == []
    drawn = fusion(given | {"gtv": nobody}).penalties["segmentation"]

    assert calls == [1]
    assert left.dtype == drawn.dtype
    assert left.tolist() == drawn.tolist() == [0.0] * 4


def test_patches_that_cannot_be_doubled_to_are_refused_only_with_a_mask() -> None:
    """Attention takes any size; the decoder doubles."""
    odd = VoxelSpec(dim=27, tokens=8, grid=(2, 2, 2), patch=3)

    built(PatchTransformer, {"ct": odd})

    with pytest.raises(CompositionError, match=r"2, 4, 8, 16, ... voxels, but they are of 3"):
        built(PatchTransformer, {"ct": odd, "gtv": odd})


def test_too_few_layers_for_the_decoder_are_refused() -> None:
    """The sentence says how many it reads."""
    with pytest.raises(ConfigError, match="reads 2 layers"):
        built(PatchTransformer, ALL, layers=1)
