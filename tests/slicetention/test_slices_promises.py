"""What the encoder of slices promises besides the contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from tests.slicetention.small_slices import (
    INPUT,
    encoder,
    padded,
    sample,
)

from survkit.errors import DataError
from survkit.flow import Batch, ModalityInput, SurvivalTarget, projected, select
from survkit.fusions.mean import MeanFusion
from survkit.heads.deephit import DeepHitHead
from survkit.losses.deephit_likelihood import DeepHitLikelihood
from survkit.losses.deephit_ranking import DeepHitRanking
from survkit.model import SurvivalModel
from survkit.objective import Objective, Term
from survkit.specs import OutcomeSpec
from survkit.training.plan import TrainingPlan
from survkit.training.train import train
from survkit.training_config import TrainingConfig
from survkit_slicetention.preparation.intensity import PixelMoments
from survkit_slicetention.slices import SlicesEncoder
from survkit_slicetention.soft_attention import SoftAttention


def both_ways(
    subjects: int = 6,
) -> tuple[SlicesEncoder, ModalityInput, SlicesEncoder, ModalityInput]:
    """Return an encoder over cached features and one over raw slices, of equal weights.

    The second learns its scale from the training subjects, and is told that of the first.
    """
    cached, raw = encoder(), encoder(statistics="train", rate=0.0)
    raw.reader.pixels.load_state_dict({"moments": torch.tensor([-300.0, 700.0])})
    raw.project.load_state_dict(cached.project.state_dict())
    inputs = [padded([each.prepare(sample(i)) for i in range(subjects)]) for each in (cached, raw)]
    return cached, inputs[0], raw, inputs[1]


def test_the_paper_trains_328224_weights() -> None:
    """1280 x 256 + 256 of the linear layer, and 288 of the grey stem."""
    paper = SlicesEncoder(INPUT, weights=None, size=64)

    trainable = {name: p.numel() for name, p in paper.named_parameters() if p.requires_grad}

    assert sorted(trainable.values()) == [256, 288, 1280 * 256]
    assert sum(trainable.values()) == 328_224


def test_cached_and_uncached_encode_alike() -> None:
    """Features of a subject, prepared or computed in the forward, are the same."""
    cached, features, raw, slices = both_ways()

    ours, right = projected(cached(features)), projected(raw(slices))

    assert ours.token_mask is not None
    assert torch.equal(ours.token_mask, slices.token_mask)
    mask = ours.token_mask[..., None]
    atol = 1e-5 * float(right.tokens.detach().abs().max())
    torch.testing.assert_close(ours.tokens * mask, right.tokens * mask, rtol=1e-5, atol=atol)
    torch.testing.assert_close(ours.summary, right.summary, rtol=1e-5, atol=atol)


class Store:
    """Subjects in memory."""

    in_memory = True

    def __init__(self, input: ModalityInput, target: SurvivalTarget) -> None:
        self._whole = Batch({"ct": input}, target, torch.arange(len(target.duration)))

    def batch(self, rows: Any) -> Batch:
        return select(self._whole, torch.as_tensor(rows))


def loss_trace(one: SlicesEncoder, input: ModalityInput, folder: Path) -> list[float]:
    """Train three epochs in risk sets of four, and return the losses that the log shows."""
    outcome = OutcomeSpec(causes=("death",), horizon=4.0, time_grid=(1.0, 2.0, 3.0, 4.0))
    target = SurvivalTarget(
        torch.tensor([0.5, 1.5, 2.5, 3.5, 5.0, 1.2], dtype=torch.float64),
        torch.tensor([1, 1, 0, 1, 0, 1]),
    )
    torch.manual_seed(3)
    fusion = SoftAttention({"ct": one.encoding})
    model = SurvivalModel(
        encoders={"ct": one}, fusion=fusion, head=DeepHitHead(fusion.dim, outcome, shared=(8,))
    )
    terms = (
        Term("likelihood", 1.0, DeepHitLikelihood(outcome)),
        Term("ranking", 0.5, DeepHitRanking(outcome)),
    )
    config = TrainingConfig.model_validate(
        {"epochs": 3, "micro_batch": 2, "risk_set": 4, "accelerator": "cpu"}
    )
    plan = TrainingPlan(
        config=config,
        objective=Objective(terms=terms, penalty_weights={}),
        outcome=outcome,
        store=Store(input, target),
        train=range(6),
        train_target=target,
        seed=(0,),
    )
    folder.mkdir()
    train(model.train(), plan, folder, resume=False, progress=False)
    lines = (folder / "log.csv").read_text(encoding="utf-8").splitlines()
    columns = [
        i
        for i, name in enumerate(lines[0].split(","))
        if name in ("loss/likelihood", "loss/ranking")
    ]
    assert len(columns) == 2, lines[0]
    return [float(line.split(",")[column]) for line in lines[1:] for column in columns]


def test_cached_and_uncached_training_have_the_same_losses(tmp_path: Path) -> None:
    """With feature dropout on: to 1e-5 relative, epoch by epoch."""
    cached, features, raw, slices = both_ways()

    ours = loss_trace(cached, features, tmp_path / "cached")
    right = loss_trace(raw, slices, tmp_path / "raw")

    assert len(ours) == 6
    assert ours == pytest.approx(right, rel=1e-5)
    assert ours[0] != ours[2]


def test_settings_that_do_not_matter_share_the_cache() -> None:
    """Width, dropout, learning rates: no. Weights, scale, slices: yes."""
    base = encoder().preparation_fingerprint()

    same = [encoder(dim=4), encoder(dropout=0.5), encoder(seed=7), encoder(rate=0.9)]
    other = [
        encoder(weights_seed=1),
        encoder(statistics=(-300.0, 600.0)),
        encoder(intensity="clip_minmax"),
        encoder(size=48),
        encoder(views=2),
        encoder(stem="trainable"),
    ]

    assert {each.preparation_fingerprint() for each in same} == {base}
    assert base not in {each.preparation_fingerprint() for each in other}


def test_raw_slices_are_shared_by_all_backbones() -> None:
    """Whatever trains above them; only raw HU, which are not clipped, are others."""
    raw = encoder(stem="trainable")
    shared = [
        encoder(stem="trainable", backbone="resnet18", weights_seed=3),
        encoder(freeze="half", statistics="train"),
        encoder(freeze="none", intensity="clip_minmax", chunk=2),
    ]

    assert {each.preparation_fingerprint() for each in shared} == {raw.preparation_fingerprint()}
    unclipped = encoder(stem="trainable", intensity="zscore")
    assert unclipped.preparation_fingerprint() != raw.preparation_fingerprint()


def test_a_stack_of_zeros_is_real() -> None:
    """Padding is what the mask says, not what looks empty (the published code looks)."""
    one = encoder(stem="trainable")
    slices = torch.full((1, 4, 32, 32), -500.0)
    slices[0, :2] = 0.0
    present = torch.ones(1, dtype=torch.bool)

    alone = one(ModalityInput(slices[:, :2], present)).summary
    with_padding = one(ModalityInput(slices, present, torch.tensor([[True, True, False, False]])))
    all_real = one(ModalityInput(slices, present)).summary

    torch.testing.assert_close(with_padding.summary, alone)
    assert not torch.allclose(all_real, alone)


def test_padding_is_never_computed() -> None:
    """The network sees as many slices as are real."""
    one = encoder(stem="trainable", chunk=64)
    seen: list[int] = []
    one.reader.trunk.backbone.register_forward_hook(lambda m, given, r: seen.append(len(given[0])))
    mask = torch.tensor([[True] * 5, [True, False, False, False, False]])

    one(ModalityInput(torch.zeros(2, 5, 32, 32), torch.ones(2, dtype=torch.bool), mask))

    assert seen == [6]


def test_the_scale_is_learnt_from_real_slices() -> None:
    """Mean and SD over pixels, padding left out, however the batches are cut."""
    stacks = [encoder(stem="trainable").prepare(sample(i)) for i in range(4)]
    whole = padded(stacks)
    expected = PixelMoments.of(torch.cat(stacks))

    for parts in ([whole], [select(whole, torch.tensor([i])) for i in (2, 0, 3, 1)]):
        one = encoder(stem="trainable", statistics="train")
        one.fit_batches(parts)
        mean, sd = one.reader.pixels.moments.tolist()
        assert (mean, sd) == pytest.approx((expected.mean, expected.sd), rel=1e-6)


def test_an_unfitted_scale_is_refused_and_a_loaded_one_is_not() -> None:
    """The scale travels with the weights."""
    one, fresh = (encoder(stem="trainable", statistics="train") for _ in range(2))
    batch = padded([one.prepare(sample(i)) for i in range(2)])
    with pytest.raises(DataError, match="are not known yet: call fit_batches"):
        one(batch)
    one.fit_batches([batch])

    fresh.load_state_dict(one.state_dict())

    torch.testing.assert_close(fresh(batch).summary, one(batch).summary, rtol=0, atol=0)


def test_the_mean_fusion_over_slices_is_the_mean_over_real_slices() -> None:
    """The core's own ``mean`` needs no twin: padding changes nothing."""
    one = encoder()
    stacks = [one.prepare(sample(i))[: 3 + i] for i in range(3)]
    fusion = MeanFusion({"ct": one.encoding}, dim=None).eval()

    fused = fusion({"ct": projected(one(padded(stacks)))})

    for row, features in enumerate(stacks):
        expected = one.project(features).mean(dim=0)
        torch.testing.assert_close(fused.embedding[row], expected, rtol=1e-4, atol=1e-4)


def test_pictures_are_the_slices_from_black_to_white() -> None:
    """-1000 HU is 0, 400 HU is 1; as many as there are tokens, in their order."""
    one = encoder(stem="trainable")

    pictures = one.token_images(sample())

    expected = (one.prepare(sample()) + 1000) / 1400
    torch.testing.assert_close(pictures, expected)
    assert float(pictures.min()) >= 0
    assert float(pictures.max()) <= 1
