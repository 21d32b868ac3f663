"""Regions as textures see them: which grey levels there are, and where."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class GreyLevels:
    """Regions of one box each, their voxels numbered by the distinct levels of the region.

    Levels that no voxel has would fill every matrix with zeros, so voxels carry the rank of
    their level among the region's own (0 for the lowest).

    Attributes:
        rank: int64 (region, z, y, x); ``depth`` outside the mask.
        level: float64 (region, depth): the grey level (1, 2, ...) of each rank; 1 for ranks
            that the region does not have.
        count: int64 (region, depth): voxels of each rank.
        masked: Whether some voxel of the boxes lies outside the mask.
    """

    rank: Tensor
    level: Tensor
    count: Tensor
    masked: bool

    @property
    def depth(self) -> int:
        """Most distinct levels of any region here."""
        return self.level.shape[1]

    @property
    def width(self) -> int:
        """Number of different values in ``rank``, outside included."""
        return self.depth + self.masked

    @property
    def box(self) -> tuple[int, int, int]:
        """Extent along z, y and x."""
        depth, height, width = self.rank.shape[1:]
        return depth, height, width

    @property
    def coded(self) -> Tensor:
        """Rank plus ``width`` times the region's number: equal only within a region."""
        first = torch.arange(len(self.rank), device=self.rank.device) * self.width
        return self.rank + first[:, None, None, None]

    @property
    def highest(self) -> Tensor:
        """The highest grey level of each region, float64 (region)."""
        return self.level.amax(dim=1)

    def inside(self, counts: Tensor) -> Tensor:
        """Cut counts over (..., region * width * size) to float64 (..., region, depth, size)."""
        shaped = counts.view(*counts.shape[:-1], len(self.rank), self.width, -1)
        return shaped[..., : self.depth, :].double()


def distinct_levels(level: Tensor) -> tuple[Tensor, Tensor]:
    """Count the voxels of every grey level.

    Args:
        level: int64 levels >= 1 (region, voxel).

    Returns:
        Histogram int64 (region, level - 1), and how many distinct levels a region has.
    """
    regions, top = len(level), int(level.max())
    first = torch.arange(regions, device=level.device)[:, None] * top - 1
    histogram = torch.bincount((level + first).flatten(), minlength=regions * top)
    histogram = histogram.view(regions, top)
    return histogram, (histogram > 0).sum(dim=1)


def rank_levels(
    level: Tensor, histogram: Tensor, box: tuple[int, int, int], mask: Tensor | None
) -> GreyLevels:
    """Number the voxels of regions by their distinct levels.

    Args:
        level: int64 levels (region, voxel in the mask).
        histogram: What :func:`distinct_levels` counted of them.
        box: Extent of every region along z, y and x.
        mask: bool (z, y, x); nothing where all voxels of the box belong to the regions.
    """
    present = histogram > 0
    table = present.cumsum(dim=1) - 1
    depth = int(table[:, -1].max()) + 1
    region, value = present.nonzero(as_tuple=True)
    place = table[region, value]
    levels = torch.ones(len(level), depth, dtype=torch.float64, device=level.device)
    levels[region, place] = (value + 1).double()
    counts = torch.zeros(len(level), depth, dtype=torch.int64, device=level.device)
    counts[region, place] = histogram[region, value]
    rank = table.gather(1, level - 1)
    if mask is None:
        return GreyLevels(rank.view(-1, *box), levels, counts, masked=False)
    placed = torch.full((len(level), *box), depth, dtype=torch.int64, device=level.device)
    placed[:, mask] = rank
    return GreyLevels(placed, levels, counts, masked=not bool(mask.all()))
