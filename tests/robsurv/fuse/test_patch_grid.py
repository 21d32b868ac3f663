"""Patches of a grid: which token lies where."""

from __future__ import annotations

import pytest
import torch

from survkit_robsurv.fuse.patch_grid import PatchGrid, cut_grid


def test_patches_hold_the_tokens_of_their_block() -> None:
    """Each token carries its place (z, y, x); patches and tokens follow in that order."""
    places = torch.cartesian_prod(torch.arange(4), torch.arange(2), torch.arange(6))
    cut = PatchGrid((4, 2, 6), (2, 2, 3))

    patches = cut.patchify(places[None])

    assert (cut.patches, cut.counts, cut.block_tokens) == (4, (2, 1, 2), 12)
    expected = [
        [
            [z, y, x]
            for z in range(top, top + 2)
            for y in range(2)
            for x in range(left, left + 3)
        ]
        for top in (0, 2)
        for left in (0, 3)
    ]  # fmt: skip
    assert patches.reshape(4, 12, 3).tolist() == expected


@pytest.mark.parametrize("block", [(1, 1, 1), (2, 1, 3), (4, 2, 6)])
def test_cutting_is_undone(block: tuple[int, int, int]) -> None:
    """Every token comes back to its place."""
    cut = PatchGrid((4, 2, 6), block)
    tokens = torch.randn(2, 48, 5)

    assert torch.equal(cut.unpatchify(cut.patchify(tokens)), tokens)


def test_weights_of_patches_are_shared_by_their_tokens() -> None:
    """Two patches along x: the left half and the right half of every line."""
    cut = PatchGrid((1, 2, 4), (1, 2, 2))

    weights = cut.spread(torch.tensor([[0.2, 0.8]]))

    torch.testing.assert_close(weights, torch.tensor([[0.05, 0.05, 0.2, 0.2] * 2]))


@pytest.mark.parametrize(
    ("grid", "patch", "block"),
    [
        ((8, 8, 8), 2, (2, 2, 2)),
        ((2, 2, 2), 2, (2, 2, 2)),
        ((1, 1, 1), 2, (1, 1, 1)),
        ((4, 6), 2, (1, 2, 2)),
        ((5,), 5, (1, 1, 5)),
        ((3, 8, 8), 4, (3, 4, 4)),
    ],
)
def test_short_axes_are_one_patch(
    grid: tuple[int, ...], patch: int, block: tuple[int, int, int]
) -> None:
    """And missing axes are axes of one token."""
    cut = cut_grid({"ct": grid, "pet": grid}, patch)

    assert cut.block == block
    assert cut.grid == (1,) * (3 - len(grid)) + grid
