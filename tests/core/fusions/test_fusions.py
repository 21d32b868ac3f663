"""The fusions: what each computes, and what all do with absent modalities."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import Encoding
from survkit.fusions.attention import AttentionFusion
from survkit.fusions.concat import ConcatFusion
from survkit.fusions.gated import GatedFusion
from survkit.fusions.mean import MeanFusion
from survkit.fusions.modalities import drop_modalities, where_present
from survkit.specs import EncodingSpec
from survkit.testing import random_encodings

ALL: list[Any] = [ConcatFusion, MeanFusion, GatedFusion, AttentionFusion]
SPECS = {"pet": EncodingSpec(dim=2), "ct": EncodingSpec(dim=2)}


def encoding(rows: list[list[float]], present: list[bool] | None = None) -> Encoding:
    summary = torch.tensor(rows)
    here = torch.tensor(present) if present else torch.ones(len(rows), dtype=torch.bool)
    return Encoding(tokens=summary[:, None], summary=summary, present=here)


def two(present_pet: list[bool]) -> dict[str, Encoding]:
    rows = [[5.0, 6.0] if here else [0.0, 0.0] for here in present_pet]
    return {
        "pet": encoding(rows, present_pet),
        "ct": encoding([[1.0, 2.0]] * len(rows)),
    }


def test_concat_is_side_by_side_in_sorted_order() -> None:
    """Ct before pet, then who is there; the absent one is zero until something is learnt."""
    fusion = ConcatFusion(SPECS, present_indicators=True)

    fused = fusion(two([True, False]))

    expected = [[1.0, 2.0, 5.0, 6.0, 1.0, 1.0], [1.0, 2.0, 0.0, 0.0, 1.0, 0.0]]
    assert fused.embedding.tolist() == expected
    assert fused.modality_embeddings["pet"].tolist() == [[5.0, 6.0], [0.0, 0.0]]


def test_concat_learns_what_stands_for_the_absent() -> None:
    """The gradient of an absent modality's place goes to the learned vector alone."""
    fusion = ConcatFusion(SPECS)
    fusion(two([True, False])).embedding.sum().backward()

    assert fusion.absent is not None
    gradients = [vector.grad.tolist() for vector in fusion.absent]  # type: ignore[union-attr]
    assert gradients == [[0.0, 0.0], [1.0, 1.0]]


def test_mean_is_over_those_present() -> None:
    """(1 + 5) / 2 where both are there, 1 where one is."""
    fused = MeanFusion(SPECS, dim=None)(two([True, False]))

    assert fused.embedding.tolist() == [[3.0, 4.0], [1.0, 2.0]]


@pytest.mark.parametrize("kind", ALL)
def test_a_subject_without_any_modality_is_the_unknown_one(kind: Any) -> None:
    """Numbers, the same for all such subjects, a gradient, and the others as they were."""
    nobody = [False, False, True]
    encodings = {
        "pet": encoding([[torch.nan, 1.0], [3.0, 4.0], [5.0, 6.0]], nobody),
        "ct": encoding([[7.0, torch.nan], [1.0, 2.0], [1.0, 2.0]], nobody),
    }
    torch.manual_seed(0)
    fusion = kind(SPECS).eval()
    embedding = fusion(encodings).embedding
    embedding.sum().backward()

    assert torch.equal(embedding[0], embedding[1])
    assert embedding.isfinite().all()
    assert all(p.grad is None or p.grad.isfinite().all() for p in fusion.parameters())
    alone = {name: encoding([[5.0, 6.0] if name == "pet" else [1.0, 2.0]]) for name in encodings}
    torch.testing.assert_close(embedding[2], fusion(alone).embedding[0])


def test_mean_of_different_widths_needs_a_projection() -> None:
    """The sentence names the widths and the setting."""
    with pytest.raises(CompositionError, match="they give ct 3, pet 2; set dim="):
        MeanFusion({"pet": EncodingSpec(dim=2), "ct": EncodingSpec(dim=3)}, dim=None)


def test_gates_are_a_softmax_over_those_present() -> None:
    """The embedding is the weighted sum; a single modality has weight one."""
    torch.manual_seed(0)
    fusion = GatedFusion(SPECS, dim=3)

    fused = fusion(two([True, False]))

    weight = fused.attention_weights["modality"]
    assert weight[1].tolist() == [1.0, 0.0]
    embeddings = torch.stack([fused.modality_embeddings[name] for name in ("ct", "pet")], dim=1)
    torch.testing.assert_close(fused.embedding, (weight[:, :, None] * embeddings).sum(dim=1))


def test_attention_with_a_mask_equals_attention_to_cut_tokens() -> None:
    """Padding tokens are as good as not there."""
    torch.manual_seed(0)
    fusion = AttentionFusion({"ct": EncodingSpec(dim=3, tokens=None)}, dim=8, heads=2)
    tokens = torch.randn(1, 5, 3)
    here = torch.ones(1, dtype=torch.bool)
    mask = torch.tensor([[True, True, True, False, False]])
    padded = Encoding(tokens=tokens, summary=tokens[:, 0], present=here, token_mask=mask)
    cut = Encoding(tokens=tokens[:, :3], summary=tokens[:, 0], present=here)

    masked, expected = fusion({"ct": padded}), fusion({"ct": cut})

    torch.testing.assert_close(masked.embedding, expected.embedding)
    weights = masked.attention_weights["ct"]
    torch.testing.assert_close(weights[:, :3], expected.attention_weights["ct"])
    assert weights[0, 3:].tolist() == [0.0, 0.0]


def test_attention_ignores_the_order_of_tokens() -> None:
    """Tokens are a set: a permutation permutes the weights and nothing else."""
    torch.manual_seed(0)
    fusion = AttentionFusion({"ct": EncodingSpec(dim=3, tokens=4)}, dim=8).double()
    tokens = torch.randn(2, 4, 3).double()
    here = torch.ones(2, dtype=torch.bool)
    order = torch.tensor([2, 0, 3, 1])

    straight = fusion({"ct": Encoding(tokens=tokens, summary=tokens[:, 0], present=here)})
    mixed = fusion({"ct": Encoding(tokens=tokens[:, order], summary=tokens[:, 0], present=here)})

    torch.testing.assert_close(mixed.embedding, straight.embedding)
    expected = straight.attention_weights["ct"][:, order]
    torch.testing.assert_close(mixed.attention_weights["ct"], expected)


def test_attention_mixes_modalities() -> None:
    """With a self-attention layer one modality changes what another says."""
    torch.manual_seed(0)
    fusion = AttentionFusion(SPECS, dim=8).eval()

    both, one = fusion(two([True])), fusion(two([False]))

    assert not torch.allclose(both.modality_embeddings["ct"], one.modality_embeddings["ct"])


@pytest.mark.parametrize("kind", ALL)
def test_nan_in_absent_rows_reaches_nothing(kind: Any) -> None:
    """Absent rows are selected away, not multiplied by zero: value and gradients stay finite."""
    torch.manual_seed(0)
    fusion = kind(SPECS)
    batch = two([True, False])
    broken = torch.full((1, 2), torch.nan)
    pet = torch.cat([batch["pet"].summary[:1], broken])
    batch["pet"] = Encoding(tokens=pet[:, None], summary=pet, present=batch["pet"].present)

    fused = fusion(batch)
    fused.embedding.sum().backward()

    assert bool(fused.embedding.isfinite().all())
    for name, parameter in fusion.named_parameters():
        assert parameter.grad is None or bool(parameter.grad.isfinite().all()), name


@pytest.mark.parametrize("kind", ALL)
def test_every_modality_has_an_embedding(kind: Any) -> None:
    """Losses that compare modalities find each; rows of absent subjects are zero."""
    torch.manual_seed(0)
    fused = kind(SPECS)(two([True, False]))

    assert set(fused.modality_embeddings) == {"ct", "pet"}
    assert not bool(fused.modality_embeddings["pet"][1].any())
    assert bool(fused.modality_embeddings["pet"][0].any())


@pytest.mark.parametrize("kind", ALL)
def test_modality_dropout_is_for_training_only(kind: Any) -> None:
    """In eval mode it changes nothing; in training it leaves a subject with one modality alone."""
    torch.manual_seed(0)
    fusion = kind(SPECS, modality_dropout=0.9)
    batch = random_encodings(SPECS, 200)
    plain = fusion.eval()(batch).embedding
    only_ct = two([False])

    trained = fusion.train()(batch).embedding

    assert torch.equal(fusion.eval()(batch).embedding, plain)
    assert int((trained != plain).any(dim=1).sum()) > 100
    torch.testing.assert_close(fusion.train()(only_ct).embedding, fusion.eval()(only_ct).embedding)


def test_dropped_modalities_are_as_many_as_asked_and_never_all() -> None:
    """Independent draws at the rate, a last one spared uniformly, absent ones untouched."""
    torch.manual_seed(0)
    present = torch.ones(20_000, 3, dtype=torch.bool)
    present[:5000, 0] = False

    used = drop_modalities(present, 0.5)

    assert not bool((used & ~present).any())
    assert bool(used.any(dim=1).all())
    # Three present: one stays by chance (1/2) or because all three would have gone (1/8 * 1/3).
    share = used[5000:].double().mean(dim=0)
    torch.testing.assert_close(share, torch.full((3,), 0.5 + 1 / 24).double(), atol=0.015, rtol=0)
    assert drop_modalities(present, 0.0) is present


def test_where_present_selects() -> None:
    """Rows of absent subjects are zero, others as they were."""
    values: Tensor = torch.tensor([[1.0, torch.nan], [torch.nan, 2.0]])
    values[0, 1] = 3.0

    assert where_present(values, torch.tensor([True, False])).tolist() == [[1.0, 3.0], [0.0, 0.0]]


@pytest.mark.parametrize("kind", ALL)
def test_what_cannot_be_used_is_refused(kind: Any) -> None:
    """No modality, a reserved name, other modalities than built for, a rate outside [0, 1)."""
    with pytest.raises(CompositionError, match="at least one modality"):
        kind({})
    with pytest.raises(CompositionError, match="may be called 'modality'"):
        kind({"modality": EncodingSpec(dim=2)})
    with pytest.raises(DataError, match="built for the modalities ct, pet, but got ct; give"):
        kind(SPECS)({"ct": encoding([[1.0, 2.0]])})
    with pytest.raises(ConfigError, match=r"modality_dropout must lie in \[0, 1\), not 1"):
        kind(SPECS, modality_dropout=1.0)
    with pytest.raises(ConfigError, match="dim"):
        kind(SPECS, dim=0)


def test_settings_of_single_fusions_are_checked() -> None:
    """Choices and widths are named."""
    with pytest.raises(ConfigError, match=r"absent must be one of .* not 'mean'"):
        ConcatFusion(SPECS, absent="mean")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="gate_dim must be at least 1, not 0"):
        GatedFusion(SPECS, gate_dim=0)
    with pytest.raises(ConfigError, match="multiple of the heads, not heads=3, layers=1, dim=8"):
        AttentionFusion(SPECS, dim=8, heads=3)
