"""Dropped patches are out of the computation, and nobody else notices."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
import torch
from tests.radvit.vit.cases import PATCHES, encoder, given, pictures
from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModalityInput, select
from survkit.token_threshold import above_threshold
from survkit_radvit.vit.vit_encoder import VitEncoder

KEPT = torch.tensor([1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 0], dtype=torch.bool)


def test_keeping_all_changes_no_bit() -> None:
    """Said once for everybody, once for each, and taken back after another choice."""
    one = encoder()
    batch = given(pictures())
    expected = one(batch)

    for kept in (torch.ones(PATCHES, dtype=torch.bool), None):
        one.keep_tokens(KEPT)
        one.keep_tokens(kept)
        assert torch.equal(one(batch).summary, expected.summary)
        assert torch.equal(one(batch).tokens, expected.tokens)
    one.keep_tokens(torch.ones(4, PATCHES, dtype=torch.bool))
    torch.testing.assert_close(one(batch).summary, expected.summary, rtol=1e-6, atol=1e-6)


def test_pixels_of_dropped_patches_have_no_influence() -> None:
    """Whatever stands there, within the range of the rest; and they have no token and no weight."""
    one = encoder()
    one.keep_tokens(KEPT)
    values = pictures()
    pixels = KEPT.reshape(3, 4).repeat_interleave(8, 0).repeat_interleave(8, 1)
    other = torch.where(pixels, values, pictures(seed=9))

    expected, found = one(given(values)), one(given(other))

    assert not torch.equal(other, values)
    assert torch.equal(found.summary, expected.summary)
    assert torch.equal(found.token_mask, KEPT.expand(4, -1))
    assert not bool(found.tokens[:, ~KEPT].any())
    assert not bool(found.attention_weights[:, ~KEPT].any())
    torch.testing.assert_close(found.attention_weights.sum(dim=1), torch.ones(4))


def test_dropping_is_masking_that_saves_the_work() -> None:
    """The network of timm with the dropped patches as forbidden keys gives the same."""
    one = encoder().double()
    values = pictures().double()
    vit = one.network.vit
    tokens = vit._pos_embed(vit.patch_embed(one.scale(values)))
    real = torch.cat([torch.ones(1, dtype=torch.bool), KEPT])
    for block in vit.blocks:
        tokens = block(tokens, attn_mask=real[None, None, None, :].expand(4, 1, 13, 13))
    expected = vit.norm(tokens)

    one.keep_tokens(KEPT)
    found = one(given(values))

    torch.testing.assert_close(found.summary, expected[:, 0])
    torch.testing.assert_close(found.tokens[:, KEPT], expected[:, 1:][:, KEPT])


def test_each_subjects_own_choice_is_that_subject_alone() -> None:
    """Padding to the longest row is invisible."""
    one = encoder().double()
    values = pictures().double()
    kept = torch.rand(4, PATCHES, generator=torch.Generator().manual_seed(3)) < 0.4
    kept[0] = torch.arange(PATCHES) == 5
    kept[1] = True

    one.keep_tokens(kept)
    together = one(given(values))

    assert torch.equal(together.token_mask, kept)
    for row in range(4):
        one.keep_tokens(kept[row])
        alone = one(given(values[row : row + 1]))
        torch.testing.assert_close(together.summary[row], alone.summary[0])
        torch.testing.assert_close(together.tokens[row], alone.tokens[0])
        torch.testing.assert_close(together.attention_weights[row], alone.attention_weights[0])


def test_thinning_out_drops_what_the_block_did_not_look_at() -> None:
    """By hand: the first block's class row of timm's weights, thresholded, and the blocks behind it
    on those patches alone.
    """
    one = encoder(prune_at=1, threshold=1.0).double()
    values = pictures().double()
    vit = one.network.vit
    tokens = vit._pos_embed(vit.patch_embed(one.scale(values)))
    share = class_row(vit.blocks[0], tokens)
    expected_kept = share >= 1 / PATCHES

    found = one(given(values))

    assert torch.equal(found.token_mask, expected_kept)
    assert 0 < int(expected_kept.sum()) < expected_kept.numel()
    for row in range(4):
        places = torch.cat([torch.ones(1, dtype=torch.bool), expected_kept[row]])
        rest = vit.blocks[0](tokens[row : row + 1])[:, places]
        rest = vit.norm(vit.blocks[1:](rest))
        torch.testing.assert_close(found.summary[row], rest[0, 0])
        torch.testing.assert_close(found.tokens[row, expected_kept[row]], rest[0, 1:])


def class_row(block: Any, tokens: Tensor) -> Tensor:
    """Return the class token's weights over patches, by the definition, head by head."""
    attention = block.attn
    query, key, _ = attention.qkv(block.norm1(tokens)).chunk(3, dim=2)
    heads, width = attention.num_heads, query.shape[2] // attention.num_heads
    rows = []
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        scores = torch.einsum("bd,btd->bt", query[:, 0, part], key[:, :, part]) / width**0.5
        rows.append(scores.exp() / scores.exp().sum(dim=1, keepdim=True))
    row = torch.stack(rows).mean(dim=0)[:, 1:]
    return row / row.sum(dim=1, keepdim=True)


def test_a_threshold_of_zero_drops_nothing_and_a_huge_one_all_but_one() -> None:
    """The patch with the most attention stays always."""
    values = pictures()
    plain = encoder()
    none, most = (encoder(prune_at=1, threshold=threshold) for threshold in (0.0, 99.0))

    expected, found, single = plain(given(values)), none(given(values)), most(given(values))

    torch.testing.assert_close(found.summary, expected.summary, rtol=1e-5, atol=1e-5)
    assert bool(found.token_mask.all())
    assert single.token_mask.sum(dim=1).tolist() == [1, 1, 1, 1]


def test_the_threshold_is_in_units_of_the_uniform_share() -> None:
    """Of 4 patches, those with at least c/4; uniform attention is not pruned at c = 1."""
    share = torch.tensor([[0.1, 0.2, 0.3, 0.4], [0.25, 0.25, 0.25, 0.25]])

    at_one, at_two = above_threshold(share, 1.0), above_threshold(share, 2.0)

    assert at_one.tolist() == [[False, False, True, True], [True] * 4]
    assert at_two.tolist() == [[False, False, False, True], [True, False, False, False]]


def test_both_ways_together_count_the_patches_that_are_left() -> None:
    """Thinning out among the kept ones; what was never computed cannot come back."""
    one = encoder(prune_at=2, threshold=1.0)
    one.keep_tokens(KEPT)

    found = one(given(pictures()))

    assert not bool((found.token_mask & ~KEPT).any())
    assert 0 < int(found.token_mask.sum()) < 4 * int(KEPT.sum())


def test_the_choice_travels_with_the_weights() -> None:
    """Strictly loaded, the pruned network predicts alike, bit for bit; a choice per subject stays
    behind.
    """
    one, fresh = encoder(), encoder(seed=8)
    batch = given(pictures())
    one.keep_tokens(KEPT)
    expected = one(batch)
    fresh.keep_tokens(torch.ones(2, PATCHES, dtype=torch.bool))

    fresh.load_state_dict(one.state_dict(), strict=True)

    assert torch.equal(fresh(batch).summary, expected.summary)
    assert torch.equal(fresh(batch).token_mask, expected.token_mask)


def test_importance_is_of_the_whole_network() -> None:
    """Dropping patches does not change it, nor does looking at it change what is dropped."""
    one = encoder(prune_at=1, threshold=1.0)
    values = pictures()
    expected = one.token_importance(values)
    one.keep_tokens(KEPT)
    before = one(given(values)).summary

    found = one.token_importance(values)

    assert torch.equal(found, expected)
    assert torch.equal(one(given(values)).summary, before)
    torch.testing.assert_close(expected.sum(dim=1), torch.ones(4))
    torch.testing.assert_close(expected, encoder()(given(values)).attention_weights)


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (torch.ones(PATCHES), r"not torch.float32 \(12,\)"),
        (torch.ones(5, dtype=torch.bool), r"with 12 patches, not torch.bool \(5,\)"),
        (torch.zeros(PATCHES, dtype=torch.bool), "keep at least one"),
        (torch.arange(2)[:, None].expand(2, PATCHES) > 0, "keep at least one of every subject"),
    ],
)
def test_choices_that_are_none_are_refused(kept: Tensor, said: str) -> None:
    """And leave the network as it was."""
    one = encoder()
    before = one(given(pictures())).summary
    with pytest.raises(DataError, match=said):
        one.keep_tokens(kept)

    assert torch.equal(one(given(pictures())).summary, before)


def test_choices_for_other_subjects_are_refused() -> None:
    """A batch of three after choices for four."""
    one = encoder()
    one.keep_tokens(torch.ones(4, PATCHES, dtype=torch.bool))
    with pytest.raises(DataError, match="chosen for 4 subjects one by one, but 3 came"):
        one(given(pictures(3)))


def test_pruned_blocks_still_learn() -> None:
    """The gradient of the kept patches is that of the masked network: none for the others."""
    one = encoder().train()
    one.keep_tokens(KEPT)

    one(given(pictures())).summary.square().sum().backward()

    gradient = one.network.vit.pos_embed.grad[0, 1:]
    assert not bool(gradient[~KEPT].any())
    assert bool(gradient[KEPT].any(dim=1).all())


def brute_rollout(one: VitEncoder, values: Tensor) -> Tensor:
    """Return the rollout of timm's blocks by the definition, subject by subject."""
    vit = one.network.vit
    tokens = vit._pos_embed(vit.patch_embed(one.scale(values)))
    product = torch.eye(tokens.shape[1], dtype=tokens.dtype).expand(len(values), -1, -1)
    for block in vit.blocks:
        attention = block.attn
        query, key, _ = attention.qkv(block.norm1(tokens)).chunk(3, dim=2)
        shares = [
            (q @ k.transpose(1, 2) / q.shape[2] ** 0.5).softmax(dim=2)
            for q, k in zip(
                query.chunk(attention.num_heads, dim=2),
                key.chunk(attention.num_heads, dim=2),
                strict=True,
            )
        ]
        mixed = (torch.stack(shares).mean(dim=0) + torch.eye(tokens.shape[1])) / 2
        product = mixed @ product
        tokens = block(tokens)
    row = product[:, 0, 1:]
    return row / row.sum(dim=1, keepdim=True)


def test_maps_are_the_last_blocks_and_the_rollout() -> None:
    """On the grid, summing to one; the rollout is the product of the definition."""
    one = encoder().double()
    values = pictures().double()

    maps = one.attention_maps(values)

    assert set(maps) == {"last block", "rollout"}
    last = one(given(values)).attention_weights.reshape(4, 3, 4)
    torch.testing.assert_close(maps["last block"], last)
    torch.testing.assert_close(maps["rollout"].flatten(1), brute_rollout(one, values))


def test_maps_of_a_pruned_network_end_at_what_it_computes() -> None:
    """None on dropped patches in the last block; the rollout keeps what flowed before the drop."""
    one = encoder(prune_at=2, threshold=1.0)
    values = pictures()
    mask = one(given(values)).token_mask.reshape(4, 3, 4)

    maps = one.attention_maps(values)

    assert not bool(maps["last block"][~mask].any())
    assert bool((maps["rollout"] > 0).all())
    one.keep_tokens(KEPT)
    population = one.attention_maps(values)["rollout"].flatten(1)
    assert not bool(population[:, ~KEPT].any())
    torch.testing.assert_close(population.sum(dim=1), torch.ones(4))


def test_rows_of_a_pruned_batch_are_independent() -> None:
    """Every pair of subjects is encoded as alone, whatever the other keeps."""
    one = encoder(prune_at=1, threshold=1.2).double()
    batch = given(pictures().double())
    alone = [one(select(batch, torch.tensor([row]))).summary[0] for row in range(4)]

    for pair in combinations(range(4), 2):
        found = one(select(batch, torch.tensor(pair))).summary
        torch.testing.assert_close(found, torch.stack([alone[row] for row in pair]))


@pytest.mark.parametrize("kept", [None, KEPT])
def test_no_step_waits_for_the_device(kept: Tensor | None) -> None:
    """On the meta device, where no value can be read back, forward and backward run; a choice per
    subject needs the length of the longest row, which is read.
    """
    one, thinned = encoder().train(), encoder(prune_at=1, threshold=1.0).to("meta")
    one.keep_tokens(kept)
    batch = given(pictures())
    elsewhere = ModalityInput(batch.values.to("meta"), batch.present.to("meta"))

    encoding = one.to("meta")(elsewhere)
    (encoding.summary.sum() + encoding.tokens.sum()).backward()

    assert encoding.summary.shape == (4, 16)
    with pytest.raises(RuntimeError, match="meta"):
        thinned(elsewhere)
