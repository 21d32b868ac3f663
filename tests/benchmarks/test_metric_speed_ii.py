"""How much faster Uno's concordance and the dynamic AUC are than scikit-survival, and how long
resampling them takes: both sides in one process, one thread each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from statistics import median
from time import process_time
from typing import Any

import numpy as np
import pytest
import torch

from survkit.flow import SurvivalTarget
from survkit.metrics import (
    Bootstrap,
    bootstrap_replicates,
    calibration_index_statistic,
    mean_dynamic_auc,
    uno_concordance,
    uno_statistic,
)

pytestmark = pytest.mark.benchmark
SLACK = 0.7


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Pin both sides to one thread, as small kernels need for a meaningful ratio."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def interleaved(name: str, ours: Callable[[], Any], peer: Callable[[], Any], repeats: int) -> float:
    """Time both in turn, print both medians, and return how many times longer the peer takes.

    Both sides run on one thread, so processor time is their time, without that of other programs.
    """
    ours(), peer()
    seconds: dict[str, list[float]] = {"ours": [], "peer": []}
    for _ in range(repeats):
        for side, function in (("ours", ours), ("peer", peer)):
            begin = process_time()
            function()
            seconds[side].append(process_time() - begin)
    mine, theirs = median(seconds["ours"]), median(seconds["peer"])
    print(f"\n{name}: {mine * 1e3:.2f} ms, peer {theirs * 1e3:.2f} ms, ratio {theirs / mine:.1f}")
    return theirs / mine


def case(n: int) -> tuple[torch.Tensor, SurvivalTarget, Any]:
    """Half of the subjects censored, scores that say something about the durations."""
    generator = np.random.default_rng(n)
    duration = generator.exponential(10, n)
    score = -duration / 10 + generator.standard_normal(n)
    target = SurvivalTarget(
        torch.from_numpy(duration), torch.from_numpy(generator.integers(0, 2, n))
    )
    outcome = np.zeros(n, dtype=[("event", bool), ("time", float)])
    outcome["event"], outcome["time"] = target.event.bool().numpy(), duration
    return torch.from_numpy(score), target, outcome


@pytest.mark.parametrize(("n", "wanted", "repeats"), [(500, 1, 21), (20_000, 30, 7)])
def test_uno_against_scikit_survival(n: int, wanted: float, repeats: int) -> None:
    """Equal to 13 digits, and at least 30 times faster for 20,000 subjects."""
    sksurv = pytest.importorskip("sksurv.metrics")
    score, target, outcome = case(n)
    scores, tau = score.numpy(), float(np.quantile(target.duration.numpy(), 0.9))

    ratio = interleaved(
        f"Uno, n={n}",
        lambda: uno_concordance(score, target, target, tau=tau),
        lambda: sksurv.concordance_index_ipcw(outcome, outcome, scores, tau=tau, tied_tol=0),
        repeats,
    )

    ours = uno_concordance(score, target, target, tau=tau)
    peer = sksurv.concordance_index_ipcw(outcome, outcome, scores, tau=tau, tied_tol=0)[0]
    assert ours.value == pytest.approx(peer, rel=1e-13)  # type: ignore[union-attr]
    assert ratio >= wanted * SLACK


def test_dynamic_auc_against_scikit_survival() -> None:
    """Twice as fast at 24 times."""
    sksurv = pytest.importorskip("sksurv.metrics")
    score, target, outcome = case(5_000)
    scores = score.numpy()
    times = np.quantile(target.duration.numpy(), np.linspace(0.05, 0.9, 24))
    asked = torch.from_numpy(times)

    ratio = interleaved(
        "mean dynamic AUC, n=5,000",
        lambda: mean_dynamic_auc(score, asked, target, target),
        lambda: sksurv.cumulative_dynamic_auc(outcome, outcome, scores, times, tied_tol=0),
        9,
    )

    assert ratio >= 2 * SLACK


def test_bootstrap_of_uno_against_a_loop_over_our_single_call() -> None:
    """A thousand replicates for 500 subjects, the censoring model refitted in each."""
    score, target, _ = case(500)
    tau = float(target.duration.quantile(0.8))
    generator = torch.Generator().manual_seed(0)
    drawn = [torch.randint(500, (500,), generator=generator) for _ in range(100)]

    def loop() -> None:
        for rows in drawn:
            part = SurvivalTarget(target.duration[rows], target.event[rows])
            uno_concordance(score[rows], part, part, tau=tau)

    ratio = 10 * interleaved(
        "1,000 bootstrap replicates of Uno, n=500 (peer: a tenth of them)",
        lambda: bootstrap_replicates(uno_statistic(score, target, target, tau=tau), Bootstrap()),
        loop,
        5,
    )
    print(f"ratio for as many replicates: {ratio:.1f}")

    assert ratio >= 5 * SLACK


def test_bootstrap_of_the_calibration_index_is_a_matter_of_seconds() -> None:
    """200 regressions at once against 20 one by one."""
    score, target, _ = case(500)
    predicted = torch.special.expit(score)
    statistic = calibration_index_statistic(8.0, predicted, target)
    one = torch.ones(1, 500, dtype=torch.int64)

    ratio = 10 * interleaved(
        "200 bootstrap replicates of ICI, n=500 (peer: a tenth of them, one by one)",
        lambda: bootstrap_replicates(statistic, Bootstrap(replicates=200)),
        lambda: [statistic.replicates(one) for _ in range(20)],
        3,
    )
    print(f"ratio for as many replicates: {ratio:.1f}")

    assert ratio >= 1
