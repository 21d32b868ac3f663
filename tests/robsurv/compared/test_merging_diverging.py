"""XSurv keeps the contract of fusions; what cross-attention looks at; what regions draw."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from tests.robsurv.compared.systems import ALL, IMAGES, SMALL, UNMASKED, built, subjects
from torch import nn

from survkit.errors import CompositionError, ConfigError
from survkit.specs import EncodingSpec
from survkit.testing import FusionConformance
from survkit_robsurv.compared.cross_attention import (
    HybridParallelBlock,
    from_windows,
    seen_volumes,
    windows,
)
from survkit_robsurv.compared.merging_diverging import MergingDiverging
from survkit_robsurv.compared.region_decoder import AttentionGate


class TestImages(FusionConformance):
    component = MergingDiverging
    encodings = IMAGES
    settings = UNMASKED[MergingDiverging]


class TestImagesAndTable(FusionConformance):
    component = MergingDiverging
    encodings: ClassVar = {**IMAGES, "clinical": EncodingSpec(dim=3)}
    settings = UNMASKED[MergingDiverging]


class TestWithMask(FusionConformance):
    component = MergingDiverging
    encodings = ALL
    settings = SMALL[MergingDiverging]


def test_windows_are_joined_to_the_map_they_were_cut_from() -> None:
    """Bit for bit; a window's tokens are neighbours."""
    features = torch.arange(2 * 3 * 4 * 6 * 2).reshape(2, 3, 4, 6, 2).float()

    cut = windows(features, (2, 3, 2))

    assert cut.shape == (2, 4, 12, 3)
    assert torch.equal(from_windows(cut, features.shape[2:], (2, 3, 2)), features)
    assert torch.equal(cut[0, 1, 0], features[0, :, 0, 3, 0])


def test_a_volume_looks_at_the_others_present_and_else_at_itself() -> None:
    """Of three volumes: all present, only the second beside it, alone, absent itself."""
    present = torch.tensor([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 1]]).bool()

    seen = seen_volumes(present, 0)

    assert seen.int().tolist() == [[0, 1, 1], [0, 1, 0], [1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize("look", ["self", "cross"])
def test_attention_is_pytorchs_over_what_is_looked_at(look: str) -> None:
    """One window of two volumes: multi-head attention with queries of one and keys of the other."""
    torch.manual_seed(0)
    block = HybridParallelBlock(2, 4, 4, heads=2, window=2, look=look).double().eval()  # type: ignore[arg-type]
    features = [torch.randn(3, 4, 2, 2, 2, dtype=torch.float64) for _ in range(2)]
    reference = nn.MultiheadAttention(4, 2, batch_first=True).double()
    partner = 0 if look == "self" else 1
    parts = (block.query[0], block.key[partner], block.value[partner])
    with torch.no_grad():
        reference.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        bias = [block.query[0].bias, torch.zeros(4).double(), block.value[partner].bias]
        reference.in_proj_bias.copy_(torch.cat(bias))
        reference.out_proj.load_state_dict(block.leave[0].state_dict())
    tokens = [block.enter[i](features[i].flatten(2).transpose(1, 2)) for i in range(2)]
    normed = [block.norms[i](tokens[i]) for i in range(2)]
    attended = tokens[0] + reference(normed[0], normed[partner], normed[partner])[0]
    attended = attended + block.feed_forward[0](attended)
    expected = block.convolutions[0](features[0])
    expected = expected + attended.transpose(1, 2).reshape(3, 4, 2, 2, 2)

    result = block(features, torch.ones(3, 2, dtype=torch.bool))[0]

    torch.testing.assert_close(result, expected)


def test_each_volume_reaches_the_others_branch_through_cross_attention_alone() -> None:
    """Without levels that look at others, another PET leaves the branch of CT as it was."""
    given = subjects(2, names=("ct", "pet"))
    noise = torch.randn_like(given["pet"].tokens)
    changed = given | {"pet": replace(given["pet"], tokens=noise)}

    def branch(fusion: MergingDiverging, batch: dict[str, object]) -> torch.Tensor:
        last = fusion.encoder.levels[-1]
        kept: list[torch.Tensor] = []
        handle = last.register_forward_hook(lambda _m, _i, output: kept.append(output[0]))
        fusion(batch)  # type: ignore[arg-type]
        handle.remove()
        return kept[0]

    for cross, same in ((0, True), (1, False)):
        fusion = built(
            MergingDiverging, IMAGES, target=None, self_levels=2 - cross, cross_levels=cross
        )
        assert torch.equal(branch(fusion, given), branch(fusion, changed)) == same


def test_a_gate_lies_between_nothing_and_everything() -> None:
    """It weighs positions, all channels alike."""
    torch.manual_seed(0)
    gate = AttentionGate(4)
    skip, decoder = torch.randn(2, 4, 2, 2, 2), torch.randn(2, 4, 2, 2, 2)

    weight = gate(skip, decoder) / skip

    assert bool(((weight > 0) & (weight < 1)).all())
    torch.testing.assert_close(weight, weight[:, :1].expand_as(weight))


def test_regions_have_decoders_of_their_own() -> None:
    """The embedding holds the means of each region's levels; each draws its own."""
    fusion = built(MergingDiverging, labels=(1, 2, 5))

    assert fusion.dim == 3 * (4 + 8) + 3
    assert len(fusion.decoders) == len(fusion.draw) == 3


def test_without_a_mask_nothing_is_drawn() -> None:
    """No layer that would never learn."""
    fusion = built(MergingDiverging, IMAGES, target=None)

    assert fusion.draw is None
    assert fusion.penalties == fusion.supervision == ()


@pytest.mark.parametrize(
    ("change", "error", "reason"),
    [
        ({"cross_levels": 2}, ConfigError, "leave one of the 3 levels"),
        ({"heads": 3}, ConfigError, "heads must divide"),
        ({"window": 3}, CompositionError, "windows of window=3 do not tile"),
        ({"labels": (2, 2)}, ConfigError, "labels must be distinct"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(
    change: dict[str, object], error: type[Exception], reason: str
) -> None:
    """While composing."""
    with pytest.raises(error, match=reason):
        MergingDiverging(IMAGES, **(UNMASKED[MergingDiverging] | change))
