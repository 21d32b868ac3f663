"""Connected components of a graph, on any device."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit.radiomics.places import true_places


def connected_components(nodes: int, first: Tensor, second: Tensor) -> Tensor:
    """Return the smallest node that each node is connected with.

    Every round hangs the larger root of each edge under the smaller one, then shortens all paths
    to their roots. Only minima are taken, so the result does not depend on any order.

    Args:
        nodes: Number of nodes.
        first: One end of each edge, int64 (edge).
        second: The other end.

    Reference: Shiloach and Vishkin, J. Algorithms 3:57 (1982), with minima in place of their
    arbitrary writes.
    """
    root = torch.arange(nodes, device=first.device)
    while len(first):
        one, other = root.index_select(0, first), root.index_select(0, second)
        lower, upper = torch.minimum(one, other), torch.maximum(one, other)
        root.scatter_reduce_(0, upper, lower, "amin")
        shorter = root.index_select(0, root)
        while not torch.equal(shorter, root):
            root, shorter = shorter, shorter.index_select(0, shorter)
        apart = true_places(root.index_select(0, lower) != root.index_select(0, upper))
        first, second = lower.index_select(0, apart), upper.index_select(0, apart)
    return root
