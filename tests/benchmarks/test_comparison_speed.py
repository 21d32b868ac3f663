"""The paired permutation test against a loop over single calls, in one process, on one thread."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from survkit.comparison import sign_flip_test, swap_shares
from survkit.flow import SurvivalTarget
from survkit.metrics import antolini_concordance, antolini_statistic

pytestmark = pytest.mark.benchmark
SLACK = 0.7
WANTED = 200
INTERVALS = 24
SUBJECTS = 500
PERMUTATIONS = 5000
LOOPED = 50
"""The loop is timed for so many permutations; it has no fixed cost worth counting."""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Pin both sides to one thread, as small kernels need for a meaningful ratio."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    numba = pytest.importorskip("numba")
    before = numba.get_num_threads()
    numba.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    numba.set_num_threads(before)


def interleaved(ours: Callable[[], Any], peers: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Time all in turn; return how many times longer each peer takes for all permutations."""
    sides = {"ours": ours, **peers}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for function in sides.values():
        function()  # numba compiles in the first call
    for _ in range(15):
        for name, function in sides.items():
            torch.set_num_threads(1)  # numba shares torch's pool of threads and sets it up anew
            begin = process_time()
            function()
            seconds[name].append(process_time() - begin)
    mine = median(seconds["ours"])
    print(f"\n{PERMUTATIONS} paired permutations of C^td, n={SUBJECTS}: {mine * 1e3:.1f} ms")
    ratios = {}
    for name in peers:
        theirs = median(seconds[name]) * PERMUTATIONS / LOOPED
        ratios[name] = theirs / mine
        print(f"  loop over {name}: {theirs:.2f} s, ratio {ratios[name]:.0f}")
    return ratios


def test_permutation_against_a_loop_over_the_faster_single_call() -> None:
    """At least 200 times faster than swapping and scoring anew, whichever scores faster.

    Inside the measured time are the pair matrices, the shares, the signs and the p-value.
    """
    pycox = pytest.importorskip("pycox.evaluation.concordance")
    generator = np.random.default_rng(SUBJECTS)
    duration = generator.exponential(10, SUBJECTS)
    edges = np.quantile(duration, np.linspace(0, 1, INTERVALS + 1)[1:])
    column = edges.searchsorted(duration).clip(0, INTERVALS - 1)
    event = generator.integers(0, 2, SUBJECTS)
    target = SurvivalTarget(torch.from_numpy(edges[column]), torch.from_numpy(event))
    columns = torch.from_numpy(column)
    curves = [
        (generator.random((SUBJECTS, INTERVALS), dtype=np.float32) ** 3 / INTERVALS).cumsum(1)
        for _ in range(2)
    ]
    first, second = (torch.from_numpy(curve) for curve in curves)
    transposed = [np.ascontiguousarray(-curve.T) for curve in curves]
    outcome = (edges[column], event.astype("int32"))
    drawn = generator.random((LOOPED, SUBJECTS)) < 0.5

    def ours() -> float:
        pair = [antolini_statistic(each, columns, target, tie_score=0) for each in (first, second)]
        shares = swap_shares(pair[0], pair[1])
        assert isinstance(shares, Tensor)
        return sign_flip_test(shares, permutations=PERMUTATIONS).difference

    def loop_over_pycox() -> list[float]:
        return [
            pycox.concordance_td(*outcome, np.where(swap, two, one), column, "antolini")
            - pycox.concordance_td(*outcome, np.where(swap, one, two), column, "antolini")
            for swap in drawn
            for one, two in [transposed]
        ]

    def loop_over_own() -> list[float]:
        found = []
        for swap in drawn:
            rows = torch.from_numpy(swap)[:, None]
            values = [
                antolini_concordance(torch.where(rows, b, a), columns, target, tie_score=0)
                for a, b in ((first, second), (second, first))
            ]
            found.append(values[0].value - values[1].value)  # type: ignore[union-attr]
        return found

    ratios = interleaved(ours, {"pycox": loop_over_pycox, "our own C^td": loop_over_own})

    np.testing.assert_allclose(loop_over_own(), loop_over_pycox(), atol=1e-12)
    assert min(ratios.values()) >= WANTED * SLACK
