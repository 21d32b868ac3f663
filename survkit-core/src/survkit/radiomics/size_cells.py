"""The occupied cells of matrices of grey level by size: few, where the matrices are large."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.places import true_places


@dataclass(frozen=True, slots=True)
class SizeCells:
    """Occupied cells, one row per matrix, filled up with cells of count 0.

    Attributes:
        level: float64 grey level of each cell (matrix, cell).
        size: float64 size of each cell (matrix, cell).
        count: float64 number of runs, zones or dependences (matrix, cell).
        of_level: float64 number of each level (matrix, depth).
        of_size: float64 number of each size (matrix, size).
    """

    level: Tensor
    size: Tensor
    count: Tensor
    of_level: Tensor
    of_size: Tensor


def occupied(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return places and values of the counts that are not 0."""
    place = true_places(counts)
    return place, counts.index_select(0, place)


def size_cells(
    levels: GreyLevels, place: Tensor, count: Tensor, largest: int, directions: int = 1
) -> SizeCells:
    """Lay occupied cells out, one row per direction and region.

    Args:
        levels: The regions; cells of what lies outside their masks are left out.
        place: int64, rising: ``code * largest + size - 1``, where the code is
            ``(direction * regions + region) * width + rank``.
        count: int64 count of each cell.
        largest: Number of sizes.
        directions: Number of directions.
    """
    row, rank, size = _split(levels, place, largest)
    if levels.masked:
        inside = rank < levels.depth
        row, rank, size, count = row[inside], rank[inside], size[inside], count[inside]
    regions = len(levels.rank)
    matrices = directions * regions
    number = torch.bincount(row, minlength=matrices)
    most = int(number.max()) if matrices else 0
    column = torch.arange(len(row), device=row.device)
    column -= (number.cumsum(dim=0) - number).index_select(0, row)
    laid = row * most + column
    level = levels.level.flatten().index_select(0, row % regions * levels.depth + rank)
    return SizeCells(
        level=level.new_ones(matrices * most).index_copy_(0, laid, level).view(matrices, most),
        size=level.new_ones(matrices * most)
        .index_copy_(0, laid, (size + 1).double())
        .view(matrices, most),
        count=level.new_zeros(matrices * most)
        .index_copy_(0, laid, count.double())
        .view(matrices, most),
        of_level=_margin(row, rank, count, (matrices, levels.depth)),
        of_size=_margin(row, size, count, (matrices, largest)),
    )


def _split(levels: GreyLevels, place: Tensor, largest: int) -> tuple[Tensor, Tensor, Tensor]:
    code = place // largest
    row = code // levels.width
    return row, code - row * levels.width, place - code * largest


def _margin(row: Tensor, column: Tensor, count: Tensor, shape: tuple[int, int]) -> Tensor:
    """Whole numbers are added, so the order does not matter."""
    total = count.new_zeros(shape[0] * shape[1])
    return total.scatter_add_(0, row * shape[1] + column, count).view(shape).double()
