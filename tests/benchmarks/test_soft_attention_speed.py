"""Pooling before the linear layer against after it: the same value and gradient, less work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time

import pytest
import torch
from torch import Tensor, nn

from survkit.flow import Encoding, projected
from survkit.specs import EncodingSpec
from survkit_slicetention.soft_attention import SoftAttention

pytestmark = pytest.mark.benchmark

SUBJECTS, SLICES, FEATURES, DIM = 4, 72, 1280, 256
SLACK = 0.7


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(("dropout", "wanted"), [(0.0, 2.7), (0.2, 1.4)])
def test_pool_then_linear(dropout: float, wanted: float) -> None:
    """Forward and backward of dropout, linear layer and attention; 4 subjects of 72 slices."""
    torch.manual_seed(0)
    linear, drop = nn.Linear(FEATURES, DIM), nn.Dropout(dropout)
    fusion = SoftAttention({"ct": EncodingSpec(dim=DIM, tokens=None)})
    features = torch.randn(SUBJECTS, SLICES, FEATURES)
    present = torch.ones(SUBJECTS, dtype=torch.bool)
    mask = torch.arange(SLICES) < torch.tensor([[72], [60], [66], [50]])
    trained = [*linear.parameters(), *(p for p in fusion.parameters() if p.requires_grad)]

    def run(pending: bool) -> list[Tensor]:
        for parameter in trained:
            parameter.grad = None
        tokens = drop(features)
        encoding = Encoding(
            tokens=tokens,
            summary=tokens.new_zeros(SUBJECTS, DIM),
            present=present,
            token_mask=mask,
            projection=linear,
        )
        fused = fusion({"ct": encoding if pending else projected(encoding)})
        fused.embedding.square().sum().backward()
        return [fused.embedding.detach(), *(p.grad for p in trained if p.grad is not None)]

    def seeded(pending: bool) -> list[Tensor]:
        torch.manual_seed(1)
        return run(pending)

    for one, two in zip(seeded(True), seeded(False), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-4 * float(two.abs().max()))
    after, before = medians(31, lambda: run(False), lambda: run(True))
    ratio = after / before

    print(
        f"\nhead step, dropout {dropout}: linear then pool {after * 1e3:.2f} ms, "
        f"pool then linear {before * 1e3:.2f} ms, ratio {ratio:.2f}"
    )
    assert ratio >= wanted * SLACK


def medians(repeats: int, *sides: Callable[[], object]) -> list[float]:
    """Median processor seconds of each side, interleaved, after one call that does not count."""
    for side in sides:
        side()
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, seconds in zip(sides, taken, strict=True):
            begin = process_time()
            side()
            seconds.append(process_time() - begin)
    return [median(seconds) for seconds in taken]
