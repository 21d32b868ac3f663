"""Attention over a volume: at its voxels, within a mask, told once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from survkit.explaining.cross_watch import Received
from survkit.explaining.looked import Looked
from survkit.explaining.subject_view import Course, SubjectView
from survkit.explaining.token_grid import mask_share
from survkit.explaining.volume_view import VolumeView, Whom
from survkit.explaining.volume_views import volume_view
from survkit.protocols import Sample
from survkit.showing import ShowsVolumes
from survkit.specs import EncodingSpec, InputSpec


class Grid(torch.nn.Module):
    """Tokens on a grid, and nothing else to show."""

    encoding = EncodingSpec(dim=2, tokens=12, grid=(3, 2, 2))


def seen(
    weight: np.ndarray, mask: torch.Tensor | None = None, **crossed: np.ndarray
) -> VolumeView | None:
    """Return the view of a volume over which a model has these weights."""
    spec = InputSpec(kind="volume", shape=(1, 7, 8, 10))
    fitted = SimpleNamespace(
        members=[SimpleNamespace(encoders={"ct": Grid()})],
        description=SimpleNamespace(inputs={"ct": spec}),
    )
    course = Course(
        times=np.zeros(1), incidence=np.zeros((1, 1)), causes=("a",), unit="days", horizon=1.0
    )
    tokens = SubjectView(
        subject="P", why="asked for", modality="ct", kind="volume", grid=(3, 2, 2), weight=weight,
        top=(), images=None, without_images="none", mask_share=None, course=course,
    )  # fmt: skip
    pairs = {(looks, "ct"): Received((3, 1, 2), (given,)) for looks, given in crossed.items()}
    part: Any = SimpleNamespace(fitted=fitted)
    looked = Looked(part, {}, pairs, np.zeros(1), np.zeros((1, 1, 1)))
    sample = Sample(values=torch.rand(1, 7, 8, 10), mask=mask, spacing=(3.0, 1.0, 1.0))
    whom = Whom(subject="P", why="asked for", course=course)
    return volume_view(looked, 0, "ct", sample, whom=whom, tokens=tokens, device="cpu")


def test_attention_of_one_token_is_at_its_voxels_and_nowhere_else() -> None:
    """Any fusion over any grid: token (1, 0, 1) is a block; slices go through its middle."""
    weight = np.zeros(12)
    weight[np.ravel_multi_index((1, 0, 1), (3, 2, 2))] = 1.0

    found = seen(weight)

    assert found is not None
    assert [row.name for row in found.rows] == ["input", "attention"]
    expected = np.zeros((7, 8, 10))
    expected[2:5, 0:4, 5:10] = 12.0  # the middles of voxels 2, 3, 4 of 7 lie in the second third
    assert np.array_equal(found.rows[1].values, expected)
    assert found.centre == (3, 2, 7)
    assert found.centre_is == "most attention"
    assert not isinstance(Grid(), ShowsVolumes)


def test_attention_within_a_mask_is_the_sum_over_its_voxels() -> None:
    """Each token spreads its weight evenly over its voxels."""
    weight = np.random.default_rng(0).dirichlet(np.ones(12))
    mask = torch.zeros(7, 8, 10, dtype=torch.bool)
    mask[1:4, 2:6, 3:7] = True

    found = seen(weight, mask)

    assert found is not None
    inside = found.rows[1].numbers["inside_mask"]
    assert inside == pytest.approx((weight * mask_share(mask.numpy(), (3, 2, 2))).sum())
    voxels = np.zeros((7, 8, 10))
    sizes = {0: 2, 1: 3, 2: 2}
    for z in range(7):
        third = int((z + 0.5) * 3 / 7)
        for y in range(8):
            for x in range(10):
                token = np.ravel_multi_index((third, y // 4, x // 5), (3, 2, 2))
                voxels[z, y, x] = weight[token] / (sizes[third] * 4 * 5)
    assert voxels.sum() == pytest.approx(1.0)
    assert inside == pytest.approx(voxels[mask.numpy()].sum(), rel=1e-6)


def test_the_same_attention_is_not_shown_twice() -> None:
    """Weights over tokens that are those of a look, spread over its patches, are left out."""
    patches = np.array([0.1, 0.2, 0.05, 0.15, 0.3, 0.2])
    spread = np.repeat(patches.reshape(3, 1, 2), 2, axis=1).ravel() / 2

    twice, other = seen(spread, pet=patches), seen(np.full(12, 1 / 12), pet=patches)

    assert twice is not None
    assert other is not None
    assert [row.name for row in twice.rows] == ["input", "attention pet → ct"]
    assert [row.name for row in other.rows] == ["input", "attention pet → ct", "attention"]


def test_even_attention_is_cut_in_the_middle() -> None:
    """Where nothing stands out there is no brightest place."""
    found = seen(np.full(12, 1 / 12))

    assert found is not None
    assert found.centre == (3, 4, 5)
    assert found.centre_is == "the middle of the volume"
