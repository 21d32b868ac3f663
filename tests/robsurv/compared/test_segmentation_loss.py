"""Dice, cross-entropy and focal loss against closed forms and PyTorch."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional

from survkit.errors import ConfigError
from survkit_robsurv.compared.segmentation_loss import (
    check_labels,
    check_voxel_loss,
    dice_loss,
    regions_of,
    segmentation_penalty,
    voxel_loss,
)


def halves() -> torch.Tensor:
    """Return one subject of 4 voxels, two of them in the region."""
    return torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 1, 2, 2)


def test_dice_of_a_perfect_drawing_is_zero_and_of_none_nearly_one() -> None:
    """1 - (2*2+1)/(2+2+1) = 0; drawing nothing: 1 - 1/(2+1); drawing the other half: 1 - 1/5."""
    region = halves()

    torch.testing.assert_close(dice_loss(region, region), torch.tensor([0.0]))
    torch.testing.assert_close(dice_loss(region * 0, region), torch.tensor([2 / 3]))
    torch.testing.assert_close(dice_loss(1 - region, region), torch.tensor([4 / 5]))


def test_dice_is_the_mean_over_regions_and_an_absent_one_costs_nothing() -> None:
    """Region 1 drawn as half everywhere: 1 - (2*1+1)/(2+2+1) = 2/5; region 2 absent, not drawn."""
    region = torch.cat([halves(), halves() * 0], dim=1)
    probability = torch.cat([halves() * 0 + 0.5, halves() * 0], dim=1)

    torch.testing.assert_close(dice_loss(probability, region), torch.tensor([1 / 5]))


def test_cross_entropy_is_pytorchs_and_focal_weighs_it() -> None:
    """Voxel by voxel (1 - p_t)^2 times it."""
    torch.manual_seed(0)
    logits = torch.randn(3, 2, 2, 2, 2, dtype=torch.float64)
    region = (torch.rand_like(logits) > 0.5).double()
    each = functional.binary_cross_entropy_with_logits(logits, region, reduction="none")
    right = torch.where(region > 0, logits.sigmoid(), 1 - logits.sigmoid())

    torch.testing.assert_close(voxel_loss(logits, region), each.mean(dim=(1, 2, 3, 4)))
    torch.testing.assert_close(
        voxel_loss(logits, region, focus=2.0), ((1 - right) ** 2 * each).mean(dim=(1, 2, 3, 4))
    )


def test_focal_gradient_is_finite_where_the_drawing_is_certain() -> None:
    """At logits of 200 a voxel is right beyond float32."""
    logits = torch.tensor([200.0, -200.0, 200.0, -200.0]).reshape(1, 1, 1, 2, 2).requires_grad_()
    region = torch.tensor([1.0, 0.0, 0.0, 1.0]).reshape(1, 1, 1, 2, 2)

    voxel_loss(logits, region, focus=2.0).sum().backward()

    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_labels_make_regions() -> None:
    """Everything that is not background, or one region per label, to the nearest whole number."""
    label_map = torch.tensor([0.0, 0.4, 1.0, 2.0, 2.3, 3.0]).reshape(1, 1, 1, 6)

    assert regions_of(label_map, None).flatten().tolist() == [0, 0, 1, 1, 1, 1]
    assert regions_of(label_map, (1, 2))[0, 0].flatten().tolist() == [0, 0, 1, 0, 0, 0]
    assert regions_of(label_map, (1, 2))[0, 1].flatten().tolist() == [0, 0, 0, 1, 1, 0]


def test_who_does_not_count_has_no_penalty_and_no_gradient() -> None:
    """Whatever stands in their rows."""
    logits = torch.randn(2, 1, 2, 2, 2, requires_grad=True)
    label_map = torch.ones(2, 2, 2, 2)

    penalty = segmentation_penalty(
        logits, label_map, torch.tensor([True, False]), labels=None, voxel="focal"
    )
    penalty.sum().backward()

    assert penalty[1] == 0
    assert logits.grad is not None
    assert bool(logits.grad[0].any())
    assert not bool(logits.grad[1].any())


def test_half_precision_is_summed_in_single() -> None:
    """A sum over 64^3 voxels in bfloat16 stops growing at some hundreds."""
    logits = torch.full((1, 1, 64, 64, 64), -3.0)
    label_map = torch.zeros(1, 64, 64, 64)
    label_map[:, 20:40, 20:40, 20:40] = 1
    counts = torch.ones(1, dtype=torch.bool)

    half, single = (
        segmentation_penalty(logits.to(dtype), label_map, counts, labels=None, voxel="none")
        for dtype in (torch.bfloat16, torch.float32)
    )

    assert half.dtype == torch.float32
    torch.testing.assert_close(half, single)


@pytest.mark.parametrize("labels", [(), (0, 1), (1, 1)])
def test_labels_that_are_none_are_refused(labels: tuple[int, ...]) -> None:
    """The background is no region, and two decoders of one region are a mistake."""
    with pytest.raises(ConfigError, match="labels must be distinct"):
        check_labels(labels)


def test_an_unknown_voxel_loss_is_refused() -> None:
    """The sentence names those known."""
    with pytest.raises(ConfigError, match=r"none, cross-entropy, focal, not 'bce'"):
        check_voxel_loss("bce")
