"""Window sums against the double loop they replace."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from survkit.losses.windows import collect, cover, cut_windows, group_log_sum_exp


@given(st.integers(1, 40), st.integers(0, 1000), st.booleans())
@settings(max_examples=80, deadline=None)
def test_cover_and_collect_are_the_double_loop(slots: int, seed: int, log: bool) -> None:
    """Each slot sums the windows over it, each window the slots under it."""
    generator = torch.Generator().manual_seed(seed)
    ends = torch.randint(0, slots, (25, 2), generator=generator).sort(1).values
    first, last = ends.unbind(1)
    over_windows = torch.rand(25, generator=generator, dtype=torch.float64) + 0.1
    over_slots = torch.rand(slots, generator=generator, dtype=torch.float64) + 0.1
    inside = (first.unsqueeze(1) <= torch.arange(slots)) & (
        torch.arange(slots) <= last.unsqueeze(1)
    )
    windows = cut_windows(first, last, slots)
    expected_slots = over_windows @ inside.double()
    expected_windows = inside.double() @ over_slots

    if log:
        covered = cover(windows, over_windows.log(), log=True).exp()
        collected = collect(windows, over_slots.log(), log=True).exp()
    else:
        covered = cover(windows, over_windows, log=False)
        collected = collect(windows, over_slots, log=False)

    torch.testing.assert_close(covered[:slots], expected_slots)
    torch.testing.assert_close(collected, expected_windows)
    assert torch.equal(covered[slots:], torch.zeros_like(covered[slots:]))


def test_empty_groups_are_minus_infinity() -> None:
    """A group without values, or with minus infinities only, has the logarithm of zero."""
    group = torch.tensor([0, 0, 2])
    values = torch.tensor([1000.0, 1000.0, -torch.inf], dtype=torch.float64)

    total = group_log_sum_exp(group, values, 3)

    assert total[0].item() == pytest.approx(1000 + 0.6931471805599453)
    assert total[1:].tolist() == [-torch.inf, -torch.inf]
