"""Codes to start from: the means of clusters of tokens."""

from __future__ import annotations

import torch
from torch import Tensor

from survkit_robsurv.quantizer.nearest_code import nearest_code

ITERATIONS = 25
SAME = 1e-6
"""Squared distance, in terms of the tokens' mean square, below which two tokens are the same."""
NEAR = 1e-4
"""Squared distance, in terms of both squares, below which expanded squares have too few digits."""


@torch.no_grad()
def k_means(tokens: Tensor, clusters: int, *, seed: int = 0) -> Tensor:
    """Return the means of the clusters, (mean, dim): fewer where there are not as many different
    tokens.

    A cluster that loses all its tokens goes on from the token that is farthest from its own mean.

    Args:
        tokens: (token, dim), at least one.
        clusters: How many.
        seed: Of the first means.

    Reference: Lloyd (1982), Least squares quantization in PCM, IEEE Trans Inf Theory 28:129; the
        first means as in Arthur, Vassilvitskii (2007), k-means++, SODA.
    """
    centre = tokens.mean(dim=0)
    tokens = tokens - centre
    means = tokens[_spread(tokens, clusters, seed)]
    nearest = None
    for _ in range(ITERATIONS):
        before, nearest = nearest, nearest_code(tokens, means)
        if before is not None and torch.equal(before, nearest):
            break
        count = torch.zeros(len(means), dtype=torch.int64, device=tokens.device)
        count.scatter_add_(0, nearest, torch.ones_like(nearest))
        total = torch.zeros_like(means).index_add_(0, nearest, tokens)
        distance = (tokens - means[nearest]).square().sum(dim=1)
        means = total / count.clamp(min=1)[:, None]
        empty = (count == 0).nonzero().flatten()
        means[empty] = tokens[distance.topk(len(empty)).indices]
    return means + centre


def _spread(tokens: Tensor, clusters: int, seed: int) -> Tensor:
    """Return tokens drawn one by one, each with a probability proportional to its squared distance
    from the nearest drawn before; their places, (mean).
    """
    generator = torch.Generator(tokens.device).manual_seed(seed)
    square = tokens.square().sum(dim=1)
    same = SAME * float(square.mean())
    drawn = [int(torch.randint(len(tokens), (), generator=generator, device=tokens.device))]
    away = torch.full_like(square, torch.inf)
    while len(drawn) < clusters:
        distance = _from_token(tokens, square, drawn[-1])
        away = torch.minimum(away, torch.where(distance > same, distance, 0))
        if not bool(away.any()):
            break  # no other token is left
        drawn.append(int(torch.multinomial(away, 1, generator=generator)))
    return torch.tensor(drawn, device=tokens.device)


def _from_token(tokens: Tensor, square: Tensor, last: int) -> Tensor:
    """Return the squared distances from one of the tokens, (token); exactly 0 from its equals."""
    both = square + square[last]
    distance = both - 2 * (tokens @ tokens[last])
    near = (distance <= NEAR * both).nonzero().flatten()
    distance[near] = (tokens[near] - tokens[last]).square().sum(dim=1)
    return distance
