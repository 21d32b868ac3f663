"""RobSurv's fusion: the contract in all its forms, what it refuses, what it says of attention."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import torch
from tests.robsurv.fuse.small_fusion import SMALL, SPECS, batch, built
from torch import nn

from survkit.plugins import default_registry
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance, random_encodings
from survkit_robsurv.dual_patch_fuse import DualPatchFuse


class TestDualPatchFuse(FusionConformance):
    component = DualPatchFuse
    encodings = SPECS
    settings: ClassVar = SMALL


class TestEveryOption(FusionConformance):
    component = DualPatchFuse
    encodings = SPECS
    settings: ClassVar = SMALL | {
        "first": "pet",
        "patch": 1,
        "heads": 1,
        "pooling": "avg+max",
        "layers": 2,
        "symmetric_align": True,
        "modality_dropout": 0.3,
        "dropout": 0.0,
        "layer_dropout": 0.0,
    }


class TestDiscretePathAlone(FusionConformance):
    component = DualPatchFuse
    encodings = SPECS
    settings: ClassVar = SMALL | {"continuous": False, "layers": 0}


class TestWithoutPatchFuse(FusionConformance):
    component = DualPatchFuse
    encodings = SPECS
    settings: ClassVar = SMALL | {"discrete": "mean"}


def test_the_registry_knows_it() -> None:
    """By the name that recipes use."""
    assert default_registry().find("fusion", "robsurv/dual-patch-fuse").load() is DualPatchFuse


def test_the_embedding_is_both_paths_under_one_layer() -> None:
    """ReLU(Linear([mean over patches of the discrete path ; continuous path]))."""
    fusion = built(layers=0)
    given = batch()
    used = torch.ones(4, 2, dtype=torch.bool)
    tokens = [given["ct"].tokens, given["pet"].tokens]
    twin = given["ct"].continuous
    assert twin is not None
    assert fusion.continuous is not None

    fused = fusion(given)

    discrete = fusion.discrete(tokens, used).fused.mean(1)
    continuous = fusion.continuous([twin, given["pet"].tokens], used)
    weight, bias = fusion.output.weight, fusion.output.bias
    expected = (torch.cat([discrete, continuous], dim=1) @ weight.T + bias).relu()
    torch.testing.assert_close(fused.embedding, expected)


def test_the_papers_sizes() -> None:
    """Two modalities of 512 tokens of 512 give 64 patches of 4096 and an embedding of 512."""
    specs = {
        name: EncodingSpec(dim=512, tokens=512, grid=(8, 8, 8), has_continuous=True)
        for name in ("ct", "pet")
    }
    torch.manual_seed(0)
    fusion = DualPatchFuse(specs)
    given = random_encodings(specs, 2)

    fused = fusion(given)
    looks = fusion.cross_attention(given)

    count = {name: sum(p.numel() for p in part.parameters()) for name, part in
             fusion.named_children()}  # fmt: skip
    embed = 2 * (4096 * 256 + 256) + 64 * 256
    attention = 2 * (3 * 256 * 256) + 2 * (256 * 256 + 256) + 2
    cbam = 2 * 1024 * 64 + 2 * 7**3
    assert fused.embedding.shape == (2, 512)
    assert looks["ct", "pet"].shape == looks["pet", "ct"].shape == (2, 64, 64)
    assert count["discrete"] == embed + attention
    assert count["continuous"] == cbam + 1024 * 512 + 512 + 2 * 512
    assert count["layers"] == 4 * 256 * 257 + 256 * 512 + 512 + 512 * 256 + 256 + 4 * 256
    assert count["output"] == 768 * 512 + 512
    assert sum(count.values()) == 4_217_264


def test_a_small_input_has_one_patch() -> None:
    """A volume of 32 a side leaves a grid of 2 a side; a smaller one a single token."""
    for side in (1, 2):
        specs = {
            name: EncodingSpec(dim=4, tokens=side**3, grid=(side,) * 3) for name in ("ct", "pet")
        }
        fused = built(specs, patch=2)(random_encodings(specs, 3, dtype=torch.float64))

        assert fused.embedding.shape == (3, 16)
        torch.testing.assert_close(
            fused.attention_weights["ct"], torch.full((3, side**3), side**-3.0).double()
        )


def test_grids_of_two_axes_fuse() -> None:
    """As grids of one layer."""
    specs = {name: EncodingSpec(dim=4, tokens=24, grid=(4, 6)) for name in ("lateral", "frontal")}
    given = random_encodings(specs, 3, dtype=torch.float64)

    fusion = built(specs)

    assert fusion.cross_attention(given)["frontal", "lateral"].shape == (3, 6, 6)


def test_who_is_first() -> None:
    """By name, unless the setting says: then PET's queries are aligned with CT's keys."""
    given = batch()
    by_name, turned = built(), built(first="pet")

    for fusion, (first, second) in ((by_name, ("ct", "pet")), (turned, ("pet", "ct"))):
        assert fusion.names == (first, second)
        tokens = [given[first].tokens, given[second].tokens]
        patches = fusion.discrete.embedded(tokens)
        query = fusion.discrete.projections[0].query(patches[0])
        key = fusion.discrete.projections[1].key(patches[1])
        align = -nn.functional.cosine_similarity(query, key, dim=2).mean(1)
        torch.testing.assert_close(fusion(given).penalties["align"], align)


def test_attention_over_tokens_is_that_over_patches() -> None:
    """PET's weights are the column means of CT's look at it, an eighth for each of a patch."""
    fusion = built()
    given = batch()

    weights = fusion(given).attention_weights
    looks = fusion.cross_attention(given)

    for looker, seen in (("ct", "pet"), ("pet", "ct")):
        assert isinstance(looks[looker, seen], torch.Tensor)
        over_patches = looks[looker, seen].mean(1)
        grid = weights[seen].reshape(4, 4, 4, 2)
        for patch, (z, y) in enumerate(((0, 0), (0, 2), (2, 0), (2, 2))):
            cell = grid[:, z : z + 2, y : y + 2].flatten(1)
            expected = over_patches[:, patch, None].expand(-1, 8) / 8
            torch.testing.assert_close(cell, expected)
        torch.testing.assert_close(looks[looker, seen].sum(2), torch.ones(4, 4).double())


def test_attention_weights_carry_no_gradient() -> None:
    """They are a report, in training too."""
    fused = built().train()(batch())

    assert not any(each.requires_grad for each in fused.attention_weights.values())


def test_gradients_are_those_of_the_function() -> None:
    """Finite differences in float64, of tokens, with a subject that lacks a modality."""
    specs = {name: EncodingSpec(dim=2, tokens=8, grid=(2, 2, 2)) for name in ("ct", "pet")}
    fusion = built(specs, patch=1, dim=4, pooling="avg+max")
    given = random_encodings(specs, 2, present=torch.tensor([[True, True], [False, True]]),
                             dtype=torch.float64)  # fmt: skip

    def run(ct: torch.Tensor, pet: torch.Tensor) -> tuple[torch.Tensor, ...]:
        fused = fusion(
            {"ct": replace(given["ct"], tokens=ct), "pet": replace(given["pet"], tokens=pet)}
        )
        return fused.embedding, fused.penalties["align"], fused.penalties["preserve"]

    inputs = tuple(given[name].tokens.requires_grad_() for name in ("ct", "pet"))
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


def test_half_precision_is_close() -> None:
    """bfloat16 autocast: finite, near float32, penalties and weights in float32."""
    specs = {name: EncodingSpec(dim=16, tokens=64, grid=(4, 4, 4)) for name in ("ct", "pet")}
    fusion = built(specs, dim=32, heads=4, head_dim=8).float()
    given = random_encodings(specs, 3)

    with torch.autocast("cpu", torch.bfloat16):
        half = fusion(given)
    full = fusion(given)

    torch.testing.assert_close(half.embedding.float(), full.embedding, rtol=0.05, atol=0.02)
    for name, penalty in half.penalties.items():
        assert penalty.dtype == torch.float32, name
        torch.testing.assert_close(penalty, full.penalties[name], rtol=0.05, atol=0.02)
    for weights in half.attention_weights.values():
        torch.testing.assert_close(weights.sum(1), torch.ones(3), rtol=0, atol=1e-5)
    half.embedding.sum().backward()  # type: ignore[no-untyped-call]
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in fusion.parameters())


def test_layers_see_all_patches() -> None:
    """They are PyTorch's, over the fused patches."""
    fusion = built(layers=1, continuous=False)
    given = batch()
    patches = fusion.discrete(
        [given["ct"].tokens, given["pet"].tokens], torch.ones(4, 2, dtype=torch.bool)
    ).fused
    reference = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True, norm_first=True)
    reference.load_state_dict(fusion.layers[0].state_dict())

    expected = fusion.output(reference.double().eval()(patches).mean(1)).relu()

    torch.testing.assert_close(fusion(given).embedding, expected)
    with torch.no_grad():  # PyTorch's fast path
        torch.testing.assert_close(fusion(given).embedding, expected)
