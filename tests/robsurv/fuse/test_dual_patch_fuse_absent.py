"""Absent modalities, the order of subjects, and what does not fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tests.robsurv.fuse.small_fusion import SMALL, SPECS, batch, built

from survkit.errors import CompositionError, ConfigError
from survkit.flow import Encoding, select
from survkit.specs import EncodingSpec
from survkit_robsurv.dual_patch_fuse import DualPatchFuse


def test_a_lone_modality_weighs_its_patches_evenly() -> None:
    """And the absent one has no weights, no vector and no look."""
    given = batch(3, torch.tensor([[True, True], [True, False], [False, True]]))
    fusion = built()

    fused, looks = fusion(given), fusion.cross_attention(given)

    torch.testing.assert_close(fused.attention_weights["ct"][1], torch.full((32,), 1 / 32).double())
    assert not bool(fused.attention_weights["pet"][1].any())
    assert not bool(fused.modality_embeddings["pet"][1].any())
    assert fused.penalties["align"][1:].tolist() == [0.0, 0.0]
    assert looks["ct", "pet"].sum((1, 2)).round(decimals=9).tolist() == [4.0, 0.0, 0.0]


def test_nan_in_absent_rows_reaches_nothing() -> None:
    """Neither a value nor a gradient of any parameter."""
    present = torch.tensor([[True, True], [True, False], [False, True]])
    given = batch(3, present)
    spoilt = {
        name: replace(
            each,
            tokens=each.tokens.masked_fill(~each.present[:, None, None], torch.nan),
            summary=each.summary.masked_fill(~each.present[:, None], torch.nan),
            continuous=None
            if each.continuous is None
            else each.continuous.masked_fill(~each.present[:, None, None], torch.nan),
        )
        for name, each in given.items()
    }
    fusion = built()

    def run(encodings: dict[str, Encoding]) -> list[torch.Tensor]:
        fused = fusion(encodings)
        total = fused.embedding.sum() + sum(p.sum() for p in fused.penalties.values())
        return [fused.embedding, *torch.autograd.grad(total, list(fusion.parameters()))]

    for ours, right in zip(run(spoilt), run(given), strict=True):
        torch.testing.assert_close(ours, right, rtol=0, atol=0)


def test_a_dropped_modality_is_an_absent_one() -> None:
    """In training with a rate near one every subject keeps one modality, as if it had no other."""
    fusion = built(modality_dropout=0.999999, dropout=0.0, layer_dropout=0.0).train()
    given = batch(8)
    torch.manual_seed(3)

    dropped = fusion(given)

    assert not bool(dropped.penalties["align"].any())
    fusion.eval()
    alone = {}
    for kept in given:
        rest = {
            name: replace(each, present=torch.full((8,), name == kept))
            for name, each in given.items()
        }
        alone[kept] = fusion(rest).embedding
    is_ct = (dropped.embedding - alone["ct"]).abs().amax(1) < 1e-12
    is_pet = (dropped.embedding - alone["pet"]).abs().amax(1) < 1e-12
    assert bool((is_ct ^ is_pet).all())
    assert bool(is_ct.any())
    assert bool(is_pet.any())


def test_the_order_of_subjects_is_kept() -> None:
    """Permuted subjects give permuted results."""
    present = torch.tensor([[True, True], [True, False], [False, True], [True, True]])
    given, order = batch(4, present), torch.tensor([2, 0, 3, 1])
    fusion = built()

    turned = fusion({name: select(each, order) for name, each in given.items()})

    straight = fusion(given)
    torch.testing.assert_close(turned.embedding, straight.embedding[order])
    torch.testing.assert_close(turned.penalties["preserve"], straight.penalties["preserve"][order])


@pytest.mark.parametrize(
    ("specs", "message"),
    [
        ({"ct": SPECS["ct"]}, "exactly two modalities, but the recipe has 1: ct; take two"),
        (SPECS | {"mr": SPECS["ct"]}, "exactly two modalities, but the recipe has 3: ct, mr, pet"),
        (
            SPECS | {"pet": EncodingSpec(dim=4, tokens=None)},
            "tokens of pet lie on no grid; give it an encoder whose tokens lie on a grid",
        ),
        (
            SPECS | {"pet": EncodingSpec(dim=4, tokens=64, grid=(4, 4, 4))},
            r"grids of one shape, not ct \(4, 4, 2\), pet \(4, 4, 4\); give both",
        ),
        (
            {name: EncodingSpec(dim=4, tokens=27 * 2, grid=(3, 6, 3)) for name in ("ct", "pet")},
            r"patches of 2 a side do not tile the grid \(3, 6, 3\) of ct; set patch= to one of "
            r"1, 3, 6",
        ),
    ],
)
def test_what_does_not_fit_is_refused(specs: dict[str, EncodingSpec], message: str) -> None:
    """While composing, in a sentence that says what would fit."""
    with pytest.raises(CompositionError, match=message):
        DualPatchFuse(specs, **SMALL)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"first": "mr"}, "first must be ct or pet, not 'mr'"),
        ({"patch": 0}, "patch must be at least 1 token a side, not 0"),
        ({"heads": 0}, "heads must be at least 1, not 0"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), not 1"),
        ({"discrete": "max"}, "discrete must be patch-fuse or mean, not 'max'"),
        ({"pooling": "max"}, r"pooling must be avg or avg\+max, not 'max'"),
        ({"layer_heads": 3}, "layer_heads divide dim=8, not layers=1, layer_heads=3"),
        ({"reduction": 16}, "reduction must lie between 1 and the channels .* 10, not 16"),
        ({"kernel": 4}, "kernel must be an odd number of places, not 4"),
        ({"preserve_weight": -1.0}, "preserve_weight must be at least 0, not -1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    """The sentence names the setting and the value."""
    with pytest.raises(ConfigError, match=message):
        DualPatchFuse(SPECS, **(SMALL | settings))


def test_there_is_no_look_without_attention() -> None:
    """The ablation says so, and gives neither weights nor penalties."""
    fusion = built(discrete="mean")
    fused = fusion(batch())

    assert fusion.penalties == ()
    assert fused.attention_weights == {}
    with pytest.raises(ConfigError, match="discrete='patch-fuse' only"):
        fusion.cross_attention(batch())
