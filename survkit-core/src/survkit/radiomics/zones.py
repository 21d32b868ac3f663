"""Zones: connected voxels of one grey level, diagonal neighbours included."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.connected import connected_components
from survkit.radiomics.grey_levels import GreyLevels
from survkit.radiomics.lines import run_lengths, run_starts
from survkit.radiomics.neighbours import pair_views
from survkit.radiomics.places import true_places

_NEIGHBOUR_ROWS = ((0, 1), (1, -1), (1, 0), (1, 1))


def zone_sizes(levels: GreyLevels) -> tuple[Tensor, Tensor]:
    """Return code (rank plus ``width`` times region) and number of voxels of every zone.

    The nodes of the graph are the runs along x, not the voxels; two runs of neighbouring rows
    are linked once for each stretch in which they touch.
    """
    rows = levels.coded.flatten(0, 2)
    starts = run_starts(rows, torch.zeros_like(rows[0]))
    code = rows.flatten().index_select(0, starts)
    length = run_lengths(starts, rows.numel())
    begins = torch.zeros(rows.numel(), dtype=torch.int64, device=rows.device)
    begins.index_fill_(0, starts, 1)
    run = (begins.cumsum(dim=0) - 1).view_as(levels.rank)
    links = [_links(levels.rank, run, along_z, along_y) for along_z, along_y in _NEIGHBOUR_ROWS]
    root = connected_components(len(starts), *torch.cat(links, dim=1))
    size = torch.zeros_like(length).scatter_add_(0, root, length)
    zone = true_places(size)
    return code.index_select(0, zone), size.index_select(0, zone)


def _links(rank: Tensor, run: Tensor, along_z: int, along_y: int) -> Tensor:
    """Runs of a row that touch equal runs of the neighbouring row: int64 (2, link)."""
    if along_z >= rank.shape[1] or abs(along_y) >= rank.shape[2]:
        return run.new_zeros(2, 0)
    upper, lower = pair_views(rank, (along_z, along_y, 0))
    upper_run, lower_run = pair_views(run, (along_z, along_y, 0))
    straight = upper == lower
    begins = straight.clone()  # a touch that only goes on from the voxel before is no new link
    begins[..., 1:] &= ~(straight[..., :-1] & (upper_run[..., 1:] == upper_run[..., :-1]))
    links = [_where(begins, upper_run, lower_run)]
    corner_free = ~(straight[..., 1:] | straight[..., :-1])  # else the straight link is enough
    for first, second in ((slice(None, -1), slice(1, None)), (slice(1, None), slice(None, -1))):
        corner = (upper[..., first] == lower[..., second]) & corner_free
        links.append(_where(corner, upper_run[..., first], lower_run[..., second]))
    return torch.cat(links, dim=1)


def _where(touching: Tensor, upper_run: Tensor, lower_run: Tensor) -> Tensor:
    place = true_places(touching)
    return torch.stack([run.flatten().index_select(0, place) for run in (upper_run, lower_run)])
