"""Non-overlapping blocks of a grid of tokens, and which token lies in which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from torch import Tensor

from survkit.errors import CompositionError, ConfigError

Axes = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class PatchGrid:
    """A grid of tokens cut into patches.

    Attributes:
        grid: Tokens along z, y, x.
        block: Tokens of a patch along z, y, x; each divides its axis of the grid.
    """

    grid: Axes
    block: Axes

    @property
    def counts(self) -> Axes:
        """Patches along z, y, x."""
        z, y, x = (axis // side for axis, side in zip(self.grid, self.block, strict=True))
        return z, y, x

    @property
    def tokens(self) -> int:
        """Tokens of the grid."""
        return prod(self.grid)

    @property
    def patches(self) -> int:
        """Patches of the grid."""
        return prod(self.counts)

    @property
    def block_tokens(self) -> int:
        """Tokens of a patch."""
        return prod(self.block)

    def patchify(self, tokens: Tensor) -> Tensor:
        """Return the patches (batch, patch, block_tokens * dim) of tokens (batch, token, dim).

        Patches follow each other in the order z, y, x, x fastest, and so do the tokens in a patch.
        """
        pairs = [part for pair in zip(self.counts, self.block, strict=True) for part in pair]
        cells = tokens.reshape(len(tokens), *pairs, -1).permute(0, 1, 3, 5, 2, 4, 6, 7)
        return cells.reshape(len(tokens), self.patches, -1)

    def unpatchify(self, patches: Tensor) -> Tensor:
        """Return the tokens (batch, token, dim) of patches (batch, patch, block_tokens * dim)."""
        cells = patches.reshape(len(patches), *self.counts, *self.block, -1)
        return cells.permute(0, 1, 4, 2, 5, 3, 6, 7).reshape(len(patches), self.tokens, -1)

    def spread(self, weights: Tensor) -> Tensor:
        """Return weights over tokens (batch, token) from weights over patches (batch, patch).

        The tokens of a patch share its weight evenly, so the sum stays.
        """
        share = weights[:, :, None].expand(-1, -1, self.block_tokens) / self.block_tokens
        return self.unpatchify(share).squeeze(2)


def cut_grid(grids: Mapping[str, tuple[int, ...] | None], patch: int) -> PatchGrid:
    """Return how the common grid of all modalities is cut into patches of ``patch`` a side.

    A grid of fewer than three axes is one with leading axes of one token. An axis shorter than the
    patch is one patch.

    Raises:
        ConfigError: The patch is no positive number.
        CompositionError: A modality has no grid, the grids differ, or the patch does not divide.
    """
    if patch < 1:
        raise ConfigError(f"patch must be at least 1 token a side, not {patch}")
    for name, grid in grids.items():
        if grid is None or not 1 <= len(grid) <= 3:
            raise CompositionError(
                f"dual-patch-fuse cuts grids of tokens into patches, but the tokens of {name} "
                f"{'lie on no grid' if grid is None else f'lie on a grid of {len(grid)} axes'}; "
                "give it an encoder whose tokens lie on a grid of up to three axes, such as "
                "robsurv/vq3d, or take the fusion attention, which needs none"
            )
    whole = {name: (1,) * (3 - len(grid)) + grid for name, grid in grids.items() if grid}
    if len(set(whole.values())) > 1:
        shapes = ", ".join(f"{name} {grid}" for name, grid in whole.items())
        raise CompositionError(
            f"dual-patch-fuse compares patch by patch and needs grids of one shape, not {shapes}; "
            "give both modalities inputs of one shape and encoders of one stride, or take the "
            "fusion attention, which needs no grid"
        )
    for name, grid in whole.items():
        if any(axis > patch and axis % patch for axis in grid):
            fitting = [side for side in range(1, max(grid) + 1) if _fits(grid, side)]
            raise CompositionError(
                f"patches of {patch} a side do not tile the grid {grid} of {name}; set patch= to "
                f"one of {', '.join(map(str, fitting))}, or change the size of the input"
            )
    z, y, x = next(iter(whole.values()))
    return PatchGrid((z, y, x), (min(patch, z), min(patch, y), min(patch, x)))


def _fits(grid: tuple[int, ...], side: int) -> bool:
    return all(axis <= side or axis % side == 0 for axis in grid)
