"""Maps are checked, laid over pixels, and tried with weights of noise."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from survkit.errors import PluginError
from survkit.explaining.attention_maps import attention_maps, offers_maps
from survkit.explaining.image_grid import cell_share, mass_in_mask, reduced, upsampled
from survkit.explaining.map_watch import SeenMaps, mean_maps
from survkit.explaining.weights_randomised import (
    DRAWS,
    permute_weights,
    randomised_maps,
    rank_correlation,
)
from survkit.model import SurvivalModel
from survkit.specs import InputSpec

SPEC = InputSpec(kind="image", shape=(1, 18, 23))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (lambda values: [], "must give a mapping of names to maps, not a list"),
        (lambda values: {"a": values.new_ones(1, 4)}, r"must give \(1, row, column\) with at most"),
        (lambda values: {"a": values.new_ones(2, 4, 5) / 20}, r"not \(2, 4, 5\)"),
        (lambda values: {"a": values.new_ones(1, 19, 23) / 437}, r"pixels, not \(1, 19, 23\)"),
        (lambda values: {"a": 3}, "pixels, not int"),
        (lambda values: {"a": values.new_ones(1, 4, 5)}, "sum to one in each subject, not 20 to"),
        (
            lambda values: {"a": values.new_tensor([[[2.0, -1.0]]])},
            "finite weights of 0 or more, not -1 to 2",
        ),
        (lambda values: {"a": values.new_tensor([[[float("nan"), 1.0]]])}, "finite weights"),
        (lambda values: {}[3], r"fails .KeyError: 3."),
    ],
)
def test_broken_maps_are_the_encoders_fault(given: Any, words: str) -> None:
    """What came is told, with the map's name."""
    encoder = SimpleNamespace(attention_maps=given)

    with pytest.raises(PluginError, match=words):
        attention_maps(encoder, torch.zeros(1, 1, 18, 23), SPEC)


def test_only_pictures_have_maps() -> None:
    """An encoder that reads volumes or tiles is not asked."""
    encoder = SimpleNamespace(attention_maps=lambda values: {})

    assert offers_maps(encoder, SPEC)
    assert not offers_maps(SimpleNamespace(), SPEC)
    assert not offers_maps(encoder, InputSpec(kind="volume", shape=(1, 4, 4, 4)))
    assert not offers_maps(encoder, InputSpec(kind="image", shape=(1, 4, 4), has_tokens=True))


@pytest.mark.parametrize(
    ("shape", "grid"), [((18, 23), (4, 5)), ((8, 6), (4, 3)), ((5, 7), (5, 7))]
)
def test_cells_overlap_pixels_exactly(shape: tuple[int, int], grid: tuple[int, int]) -> None:
    """As counted on so fine a grid that cells end between its points."""
    random = np.random.default_rng(0)
    mask = random.uniform(size=shape) < 0.3
    weight = random.dirichlet(np.ones(grid[0] * grid[1])).reshape(grid)
    fine = np.repeat(np.repeat(mask, grid[0], axis=0), grid[1], axis=1)
    cells = fine.reshape(grid[0], shape[0], grid[1], shape[1]).mean(axis=(1, 3))

    np.testing.assert_allclose(cell_share(mask, grid), cells, atol=1e-12)
    assert mass_in_mask(weight, mask) == pytest.approx(float((weight * cells).sum()), abs=1e-12)
    assert mass_in_mask(weight, np.ones(shape, dtype=bool)) == pytest.approx(1, abs=1e-12)
    assert mass_in_mask(np.full(grid, 1 / weight.size), mask) == pytest.approx(mask.mean())


def test_maps_are_drawn_smoothly() -> None:
    """A linear map is linear between the middles of the outermost cells, and level beyond."""
    rows = np.arange(4.0)[:, None].repeat(3, axis=1)
    found = upsampled(rows, (40, 30))
    expected = np.clip((np.arange(40) + 0.5) / 10 - 0.5, 0, 3)

    np.testing.assert_allclose(found, expected[:, None].repeat(30, axis=1), atol=1e-12)


def test_large_pictures_are_reduced_by_means() -> None:
    """The longer side is so many pixels; a whole factor gives the means of blocks."""
    planes = np.random.default_rng(0).uniform(size=(3, 40, 20)).astype(np.float32)
    blocks = planes.reshape(3, 10, 4, 5, 4).mean(axis=(2, 4))

    np.testing.assert_allclose(reduced(planes, 10), blocks, atol=1e-6)
    np.testing.assert_array_equal(reduced(planes, 64), planes)


def test_rank_correlation_is_spearmans() -> None:
    """With ties; not defined where a map is the same everywhere but for rounding."""
    random = np.random.default_rng(0)
    one, other = random.integers(1, 6, (2, 4, 5)).astype(np.float64)
    even = np.full((4, 5), 0.05) + random.uniform(size=(4, 5)) * 1e-9

    found = rank_correlation(one, other)
    assert found == pytest.approx(spearmanr(one.ravel(), other.ravel()).statistic)
    assert rank_correlation(one, 100 * one) == pytest.approx(1)
    assert rank_correlation(one, even) is None
    assert rank_correlation(even, one) is None


class Scores(nn.Module):
    """Looks by a score of each of the 6 columns; the last of 3 parameter tensors is its sign."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.randn(6, 6))
        self.second = nn.Parameter(torch.randn(6, 6))
        self.last = nn.Parameter(torch.randn(6))
        self.register_buffer("kept", torch.arange(6.0))

    def attention_maps(self, values: Tensor) -> dict[str, Tensor]:
        score = (values[:, 0, 0] @ self.first @ self.second) * self.last + 0 * self.kept
        return {"score": score.softmax(1)[:, None]}


def test_weights_are_permuted_from_the_last_to_the_first() -> None:
    """Each tensor keeps its numbers, in another order; what was not asked for stays."""
    torch.manual_seed(0)
    module = Scores()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    permute_weights(module, 1, 3)
    after = module.state_dict()

    assert [name for name in before if not torch.equal(before[name], after[name])] == [
        "second",
        "last",
    ]
    for name in before:
        assert torch.equal(
            before[name].flatten().sort().values, after[name].flatten().sort().values
        )


def test_maps_of_noise_are_those_of_permuted_copies() -> None:
    """Step by step, of the networks' mean, who lacks the modality left out; networks unchanged."""
    torch.manual_seed(0)
    spec = InputSpec(kind="image", shape=(1, 1, 6))
    encoders = [Scores(), Scores()]
    members = [cast(SurvivalModel, SimpleNamespace(encoders={"x": each})) for each in encoders]
    before = [each.state_dict()["last"].clone() for each in encoders]
    values = tuple(None if row == 2 else torch.randn(1, 1, 6) for row in range(6))
    seen = SeenMaps({}, (values, values))

    found = randomised_maps(members, "x", seen, spec, device="cpu")

    assert [step.share for step in found] == pytest.approx([1 / 3, 2 / 3, 1])
    assert all(torch.equal(one, each.last) for one, each in zip(before, encoders, strict=True))
    for draw in range(DRAWS):
        copies = deepcopy(encoders)
        for first, step in zip((2, 1, 0), found, strict=True):
            for each in copies:
                permute_weights(each, first, first + 1, draw=draw)
            for row, one in enumerate(values):
                weight = step.draws[draw]["score"][row]
                assert (weight is None) == (one is None)
                if one is not None:
                    with torch.no_grad():
                        both = [each.attention_maps(one[None])["score"][0] for each in copies]
                    np.testing.assert_allclose(weight, torch.stack(both).mean(0), atol=1e-6)


def test_networks_share_a_map_or_it_is_left_out() -> None:
    """The mean of those on one grid; of a subject whom one network did not see there is none."""
    half, whole = np.full((1, 2), 0.5), np.array([[1.0, 0.0]])
    found = mean_maps(
        [
            {"both": (half, None), "own": (half, half), "grids": (half, half)},
            {"both": (whole, whole), "grids": (np.ones((1, 1)), half)},
        ]
    )

    assert list(found) == ["both"]
    np.testing.assert_allclose(found["both"][0], [[0.75, 0.25]])
    assert found["both"][1] is None


def test_an_encoder_without_weights_is_not_tried() -> None:
    """There is nothing to shuffle."""

    class Fixed(nn.Module):
        def attention_maps(self, values: Tensor) -> dict[str, Tensor]:
            return {"even": torch.ones(len(values), 1, 1)}

    member = cast(SurvivalModel, SimpleNamespace(encoders={"x": Fixed()}))
    seen = SeenMaps({}, ((torch.zeros(1, 2, 2),),))

    assert randomised_maps([member], "x", seen, SPEC, device="cpu") == ()
