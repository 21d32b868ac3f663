"""The matrices themselves, on the examples that are printed with their definitions."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.errors import DataError
from survkit.radiomics.connected import connected_components
from survkit.radiomics.discretise import discretise
from survkit.radiomics.glcm_matrix import cooccurrence
from survkit.radiomics.grey_levels import GreyLevels, distinct_levels, rank_levels
from survkit.radiomics.lines import lines
from survkit.radiomics.neighbours import half_offsets
from survkit.radiomics.settings import RadiomicsSettings
from survkit.radiomics.zones import zone_sizes


def regions(level: list[list[int]]) -> GreyLevels:
    """One region of a plane, given by its grey levels; 0 lies outside."""
    drawn = torch.tensor(level)[None]
    mask = drawn > 0
    histogram, _ = distinct_levels(drawn[mask][None])
    full = None if bool(mask.all()) else mask
    return rank_levels(drawn[mask][None], histogram, (1, *drawn.shape[1:]), full)


PRINTED = [[1, 2, 5, 2, 3], [3, 2, 1, 3, 1], [1, 3, 5, 5, 2], [1, 1, 1, 1, 2], [1, 2, 4, 3, 5]]
ZONES = [[5, 2, 5, 4, 4], [3, 3, 3, 1, 3], [2, 1, 1, 1, 3], [4, 2, 2, 2, 3], [3, 5, 3, 3, 2]]


def test_cooccurrence_along_x() -> None:
    """The example of the documentation of pyradiomics' GLCM."""
    levels = regions(PRINTED)

    found = cooccurrence(levels, [(0, 0, 1)])[0, 0]

    assert found.tolist() == [
        [6, 4, 3, 0, 0],
        [4, 0, 2, 1, 3],
        [3, 2, 0, 1, 2],
        [0, 1, 1, 0, 0],
        [0, 3, 2, 0, 2],
    ]


def test_zones() -> None:
    """The example of the documentation of pyradiomics' GLSZM: level and size of each zone."""
    code, size = zone_sizes(regions(ZONES))

    found = sorted(zip((code + 1).tolist(), size.tolist(), strict=True))

    assert found == [
        (1, 4), (2, 1), (2, 5), (3, 1), (3, 3), (3, 5), (4, 1), (4, 2), (5, 1), (5, 1), (5, 1),
    ]  # fmt: skip


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("shape", [(1, 12, 15), (6, 7, 8)], ids=["plane", "volume"])
def test_zones_are_what_flooding_finds(shape: tuple[int, int, int], share: float) -> None:
    """Zones of two and three levels, and of what lies outside, by another algorithm."""
    from scipy.ndimage import label

    random = np.random.default_rng(int(10 * share))
    drawn = np.where(random.random(shape) < share, 1, random.integers(2, 4, shape))
    mask = random.random(shape) < 0.9
    level = torch.from_numpy(drawn[mask])[None]
    levels = rank_levels(level, distinct_levels(level)[0], shape, torch.from_numpy(mask))

    code, size = zone_sizes(levels)

    expected = []
    for value in (1, 2, 3):
        labelled, _ = label((drawn == value) & mask, np.ones((3, 3, 3)))
        expected += [(value - 1, int(number)) for number in np.bincount(labelled.flat)[1:]]
    inside = [each for each in zip(code.tolist(), size.tolist(), strict=True) if each[0] < 3]
    assert sorted(inside) == sorted(expected)


@pytest.mark.parametrize("edges", [0, 5, 40, 60, 300])
def test_connected_components(edges: int) -> None:
    """Every node is named after the smallest one that it is connected with."""
    random = torch.Generator().manual_seed(edges)
    first, second = torch.randint(0, 80, (2, edges), generator=random)
    graph = networkx.Graph(zip(first.tolist(), second.tolist(), strict=True))

    found = connected_components(80, first, second)

    expected = torch.arange(80)
    for part in networkx.connected_components(graph):
        expected[list(part)] = min(part)
    assert torch.equal(found, expected)


def test_a_long_chain_is_one_component() -> None:
    """The worst order: every node hangs under the one before."""
    order = torch.randperm(2000, generator=torch.Generator().manual_seed(0))

    assert not connected_components(2000, order[1:], order[:-1]).any()


@pytest.mark.parametrize(("box", "number"), [((1, 5, 5), 4), ((3, 4, 5), 13), ((1, 1, 6), 1)])
def test_directions(box: tuple[int, int, int], number: int) -> None:
    """4 in a plane, 13 in a volume, and each without its opposite."""
    offsets = half_offsets(box)

    assert len(offsets) == number
    assert not {(-z, -y, -x) for z, y, x in offsets} & set(offsets)


@pytest.mark.parametrize("offset", half_offsets((3, 4, 5)), ids=str)
def test_lines_go_in_their_direction(offset: tuple[int, int, int]) -> None:
    """Every voxel once; the next one of a line is one step on, and lines end at the border."""
    box = (3, 4, 5)
    order, line = lines(box, offset, torch.device("cpu"))
    place = torch.stack(torch.unravel_index(order, box), dim=1)

    step = place[1:] - place[:-1]
    same = line[1:] == line[:-1]

    assert torch.equal(order.sort().values, torch.arange(60))
    assert (step[same] == torch.tensor(offset)).all()
    after = place[:-1][~same] + torch.tensor(offset)
    assert ((after < 0) | (after >= torch.tensor(box))).any(dim=1).all()


def levels_of(values: list[float], **settings: float | None) -> list[int]:
    """Levels of one region."""
    drawn: Tensor = torch.tensor([values], dtype=torch.float64)
    chosen = RadiomicsSettings(**settings)  # type: ignore[arg-type]
    return discretise(drawn, chosen)[0].tolist()


def test_bins_of_one_width_begin_at_a_multiple_of_it() -> None:
    """And an edge belongs to the upper bin, below zero too."""
    assert levels_of([-30, -26, -25, -1, 0, 24.9, 25], bin_width=25) == [1, 1, 2, 2, 3, 3, 4]


def test_edges_of_a_width_without_a_binary_form() -> None:
    """As numpy.digitize on the edges that numpy.arange gives, to the last bit."""
    values = np.random.default_rng(0).integers(-40, 80, 400) * 0.1
    edges = np.arange(values.min() - values.min() % 0.1, values.max() + 0.2, 0.1)

    assert levels_of(values.tolist(), bin_width=0.1) == np.digitize(values, edges).tolist()


@pytest.mark.parametrize("count", [1, 2, 7, 32])
def test_a_number_of_bins(count: int) -> None:
    """As numpy.digitize on the edges of numpy.histogram, the maximum in the last bin."""
    values = np.random.default_rng(1).integers(0, 70, 300) / 7
    edges = np.histogram(values, count)[1]
    edges[-1] += 1

    found = levels_of(values.tolist(), bin_width=None, bin_count=count)

    assert found == np.digitize(values, edges).tolist()
    assert max(found) == count


def test_more_levels_than_16_bit_are_refused() -> None:
    """The message says how wide the region is and what to change."""
    with pytest.raises(DataError, match=r"up to 1000 spans 1e\+06 bins .* larger bin_width"):
        levels_of([0, 1000], bin_width=0.001)
