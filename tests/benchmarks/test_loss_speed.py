"""Losses against pycox and torchsurv: one thread, interleaved, medians, 30 % slack.

Processor time: on one thread it is their time, without that of other programs.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Literal

import pytest
import torch
from torch import Tensor

from survkit.discrete import cumulative_incidence, log_pmf
from survkit.losses.cox import cox_loss, ordered_cox_loss
from survkit.losses.deephit_ranking import RankingSettings, deephit_ranking
from survkit.losses.risk_sets import risk_set_order

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore:Ties in:UserWarning"),
]

SLACK = 0.7
INTERVALS = 24
AS_PYCOX = RankingSettings(normalisation="batch-squared", tie_rule="censored-later")

_PEAK = """
import sys
import torch
torch.set_num_threads(1)
sys.path.insert(0, {folder!r})
from test_loss_speed import ours_ranking, pycox_ranking, ranking_data
side = {{"ours": ours_ranking, "pycox": pycox_ranking}}[{side!r}]
side(*ranking_data(64))
data = ranking_data(8192)
def peak():  # not ru_maxrss, which a process inherits from its parent
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1])
before = peak()
side(*data)
print(peak() - before)
"""


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def medians(repeats: int, *sides: Callable[[], object]) -> list[float]:
    """Median milliseconds of each side, interleaved, after one call of each that does not count."""
    for side in sides:
        side()
    seconds: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, taken in zip(sides, seconds, strict=True):
            start = time.process_time()
            side()
            taken.append(time.process_time() - start)
    return [1e3 * median(taken) for taken in seconds]


def ranking_data(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits of a softmax with the last class "no event", intervals, events."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(count, INTERVALS, generator=generator).requires_grad_()
    interval = torch.randint(0, INTERVALS, (count,), generator=generator)
    return logits, interval, torch.randint(0, 2, (count,), generator=generator)


def ours_ranking(logits: Tensor, interval: Tensor, event: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient by sums per interval."""
    padded = torch.nn.functional.pad(logits, (0, 1))
    log_event, _ = log_pmf(padded, "pmf", 1, INTERVALS)
    loss = deephit_ranking(cumulative_incidence(log_event), interval, event, settings=AS_PYCOX)
    return loss.detach(), torch.autograd.grad(loss, logits)[0]


def pycox_ranking(logits: Tensor, interval: Tensor, event: Tensor) -> tuple[Tensor, Tensor]:
    """Value and gradient by a matrix of pairs, its building included."""
    from pycox.models.data import pair_rank_mat
    from pycox.models.loss import rank_loss_deephit_single

    pairs: Any = pair_rank_mat  # untyped
    loss_of: Any = rank_loss_deephit_single  # its annotation asks for a tensor sigma
    matrix = torch.from_numpy(pairs(interval.numpy(), event.numpy()))
    loss = loss_of(logits, interval, event, matrix, 0.1)
    return loss.detach(), torch.autograd.grad(loss, logits)[0]


@pytest.mark.parametrize(("count", "wanted", "repeats"), [(8192, 400.0 * SLACK, 3), (64, 1.0, 401)])
def test_ranking_speed(count: int, wanted: float, repeats: int) -> None:
    """Equal value and gradient; at least 400 times faster at 8,192 subjects, not slower at 64."""
    pytest.importorskip("pycox")
    data = ranking_data(count)
    for mine, theirs in zip(ours_ranking(*data), pycox_ranking(*data), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-6 * float(theirs.abs().max()))

    ours, peer = medians(repeats, lambda: ours_ranking(*data), lambda: pycox_ranking(*data))

    print(f"ranking n={count}: ours {ours:.3f} ms, pycox {peer:.3f} ms, ratio {peer / ours:.2f}")
    assert peer / ours >= wanted


def test_ranking_memory() -> None:
    """At 8,192 subjects at most a hundredth of the peak; each side in a fresh process."""
    pytest.importorskip("pycox")
    kilobytes = {}
    for side in ("ours", "pycox"):
        script = _PEAK.format(folder=str(Path(__file__).parent), side=side)
        result = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            capture_output=True,
            text=True,
            check=True,
        )
        kilobytes[side] = max(int(result.stdout), 1)

    ratio = kilobytes["pycox"] / kilobytes["ours"]
    print(f"ranking n=8192 peak: {kilobytes} kB, ratio {ratio:.0f}")
    assert ratio >= SLACK * 100


@pytest.mark.parametrize("heavy_ties", [False, True])
@pytest.mark.parametrize(("ties", "target"), [("breslow", 1.5), ("efron", 1.3)])
def test_cox_speed(ties: Literal["breslow", "efron"], target: float, heavy_ties: bool) -> None:
    """At 100,000 subjects, sorting included; delayed entry within 8 times the plain loss."""
    peer_module = pytest.importorskip("torchsurv.loss.cox")
    generator = torch.Generator().manual_seed(0)
    count = 100_000
    duration = torch.rand(count, generator=generator, dtype=torch.float64) + 0.1
    if heavy_ties:
        duration = (duration * 1500).ceil()
    observed = torch.rand(count, generator=generator) < 0.5
    log_hazard = torch.randn(count, generator=generator).requires_grad_()
    order = risk_set_order(duration)
    entry = duration * torch.rand(count, generator=generator, dtype=torch.float64) * 0.9

    def gradient(loss: Tensor) -> Tensor:
        return torch.autograd.grad(loss, log_hazard)[0]

    ours, kept, late, peer = medians(
        9,
        lambda: gradient(cox_loss(log_hazard, duration, observed, ties=ties)),
        lambda: gradient(ordered_cox_loss(log_hazard, observed, order, ties=ties)),
        lambda: gradient(cox_loss(log_hazard, duration, observed, ties=ties, entry=entry)),
        lambda: gradient(
            peer_module.neg_partial_log_likelihood(log_hazard, observed, duration, ties_method=ties)
        ),
    )

    print(
        f"cox {ties} n={count} heavy_ties={heavy_ties}: ours {ours:.1f} ms, "
        f"torchsurv {peer:.1f} ms, ratio {peer / ours:.2f}; order kept {kept:.1f} ms; "
        f"delayed entry {late:.1f} ms ({late / ours:.1f} times plain)"
    )
    assert peer / ours >= SLACK * target
    assert late / ours <= 8 / SLACK


@pytest.mark.parametrize("ties", ["breslow", "efron"])
def test_exact_where_torchsurv_overflows(ties: Literal["breslow", "efron"]) -> None:
    """A shift by +1,000 is inf or NaN there and changes nothing here."""
    peer_module = pytest.importorskip("torchsurv.loss.cox")
    generator = torch.Generator().manual_seed(0)
    duration = torch.randint(1, 500, (2000,), generator=generator).double()
    observed = torch.rand(2000, generator=generator) < 0.5
    log_hazard = torch.randn(2000, generator=generator, dtype=torch.float64)

    plain = cox_loss(log_hazard, duration, observed, ties=ties)
    peer = peer_module.neg_partial_log_likelihood(
        log_hazard + 1000, observed, duration, ties_method=ties
    )

    print(f"cox {ties} shifted by 1000: ours {float(plain):.6f}, torchsurv {float(peer)}")
    assert not torch.isfinite(peer)
    for shift in (-1000, 1000):
        shifted = cox_loss(log_hazard + shift, duration, observed, ties=ties)
        torch.testing.assert_close(shifted, plain, rtol=1e-12, atol=0)
