"""The counters under every concordance against direct comparison."""

from __future__ import annotations

import pytest
import torch

from survkit.metrics.rank_counts import prefix_counts
from survkit.metrics.tail_counts import tail_counts


def spread_values(kind: str, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Values and queries: evenly spread, of few levels, nearly all in one bin, or all equal."""
    generator = torch.Generator().manual_seed(3)
    values = torch.rand(3000, generator=generator, dtype=dtype)
    if kind == "tied":
        values = values.mul(50).round().div(50)
    if kind == "crowded":
        values[1:] = 0.5 + values[1:] * 1e-6
        values[0] = 0
    if kind == "equal":
        values = torch.full_like(values, 0.25)
    if kind == "subnormal":
        values = values * torch.finfo(dtype).smallest_normal
    queries = torch.cat([values[1000:1060], values.new_tensor([-1.0, 0.25, 0.75, 2.0])])
    return values, queries


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", ["even", "tied", "crowded", "equal", "subnormal"])
def test_tail_counts_equal_direct_comparison(kind: str, dtype: torch.dtype) -> None:
    """Whatever the spread of the values, beyond their range too, and for few of them."""
    values, queries = spread_values(kind, dtype)

    for tail in (values, values[:30], values[:1], values[:0]):
        smaller = int((tail[:, None] < queries).sum())
        tied = int((tail[:, None] == queries).sum())
        assert tail_counts(tail, queries) == (smaller, tied)


@pytest.mark.parametrize("count", [1, 2, 7, 64, 65, 300])
@pytest.mark.parametrize("weighted", [False, True])
def test_prefix_counts_equal_direct_comparison(count: int, weighted: bool) -> None:
    """Every prefix with every bound, at sizes on and off powers of two."""
    generator = torch.Generator().manual_seed(count)
    ranks = torch.randperm(count, generator=generator)
    weight = torch.rand(count, generator=generator, dtype=torch.float64)
    position = torch.arange(count + 1).repeat_interleave(count + 1)
    bound = torch.arange(count + 1).repeat(count + 1)

    found = prefix_counts(ranks, position, bound, weight if weighted else None)

    inside = (torch.arange(count) < position[:, None]) & (ranks < bound[:, None])
    expected = inside.double() @ (weight if weighted else torch.ones_like(weight))
    torch.testing.assert_close(found.double(), expected)
    assert found.dtype == (torch.float64 if weighted else torch.int64)
