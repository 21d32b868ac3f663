"""A trunk over CT slices against a plain call of the network: time on one thread, memory apart.

Processor time: on one thread it is their time, without that of other programs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from statistics import median
from time import process_time

import pytest
import torch
from torch import Tensor, nn

from survkit_slicetention.trunk.freezing import Stem, stem_of
from survkit_slicetention.trunk.random_weights import made_up_images
from survkit_slicetention.trunk.slice_trunk import SliceTrunk, TrunkSettings

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

SLICES, SIZE, SLACK = 72, 224, 0.7
STEM_SLICES = 24
FORWARD_TARGET, STEM_TIME_TARGET, STEM_MEMORY_TARGET = 3.0, 1.5, 2.0


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Run both sides on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def pair(stem: Stem) -> tuple[SliceTrunk, nn.Module]:
    """Return the trunk, and the same network as timm gives it: fp32, contiguous."""
    settings = TrunkSettings(
        backbone="efficientnet_b0",
        weights=None,
        weights_seed=0,
        size=SIZE,
        freeze="last",
        stem=stem,
        chunk=8,
    )
    trunk = SliceTrunk(settings).train()
    plain = deepcopy(trunk.backbone).to(memory_format=torch.contiguous_format).eval()
    return trunk, plain


def medians(repeats: int, *sides: Callable[[], Tensor]) -> list[float]:
    """Median seconds of each side, interleaved, after one call of each that does not count."""
    for side in sides:
        side()
    taken: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats):
        for side, seconds in zip(sides, taken, strict=True):
            begin = process_time()
            side()
            seconds.append(process_time() - begin)
    return [median(seconds) for seconds in taken]


def step(network: nn.Module, stem: nn.Conv2d, slices: Tensor) -> Tensor:
    """Return the stem's gradient of a weighted sum of all features."""
    stem.weight.grad = None
    features = network(slices)
    weights = torch.linspace(-1, 1, features.numel()).reshape(features.shape)
    (features * weights).sum().backward()
    assert stem.weight.grad is not None
    return stem.weight.grad.clone()


def test_a_frozen_trunk() -> None:
    """At least three times as fast on 72 slices of 224 x 224, the same features to 1e-4."""
    trunk, plain = pair("frozen")
    slices = made_up_images(SLICES, (1, SIZE, SIZE), 0)

    def naive() -> Tensor:
        with torch.no_grad():
            features: Tensor = plain(slices)
        return features

    theirs, ours = naive(), trunk(slices)
    deviation = float((ours - theirs).abs().max() / theirs.abs().max())
    naive_time, our_time = medians(3, naive, lambda: trunk(slices))
    ratio = naive_time / our_time

    print(
        f"\nEfficientNet-B0, {SLICES} slices of {SIZE}²: timm {naive_time:.2f} s, "
        f"trunk {our_time:.2f} s, ratio {ratio:.2f} (deviation {deviation:.1e})"
    )
    assert deviation <= 1e-4
    assert ratio >= FORWARD_TARGET * SLACK


def test_time_of_a_trainable_stem() -> None:
    """Two passes over chunks against one graph: the same gradient, and less time."""
    trunk, plain = pair("trainable")
    ours, theirs = stem_of(trunk.backbone), stem_of(plain)
    slices = made_up_images(STEM_SLICES, (1, SIZE, SIZE), 0)

    expected, found = step(plain, theirs, slices), step(trunk, ours, slices)
    deviation = float((found - expected).abs().max() / expected.abs().max())
    naive_time, our_time = medians(
        3, lambda: step(plain, theirs, slices), lambda: step(trunk, ours, slices)
    )
    ratio = naive_time / our_time

    print(
        f"\nstep of a trainable stem, {STEM_SLICES} slices: one graph {naive_time:.2f} s, "
        f"chunks {our_time:.2f} s, ratio {ratio:.2f} (deviation {deviation:.1e})"
    )
    assert deviation <= 1e-3
    assert ratio >= STEM_TIME_TARGET * SLACK


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_of_a_trainable_stem() -> None:
    """A step raises the peak by the activations of one chunk, not of all slices."""
    found = {}
    for side in ("plain", "trunk"):
        printed = subprocess.run(
            [sys.executable, "-W", "ignore", __file__, side],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        ).stdout
        found[side] = max(int(printed), 1) / 1024
    ratio = found["plain"] / found["trunk"]

    print(
        f"\npeak of that step above idle: one graph {found['plain']:.0f} MiB, "
        f"chunks {found['trunk']:.0f} MiB, ratio {ratio:.2f}"
    )
    assert ratio >= STEM_MEMORY_TARGET * SLACK


def peak_kibibytes(field: str) -> int:
    """Return a line of the process's status; ``VmHWM`` is the peak of its resident memory."""
    with Path("/proc/self/status").open() as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


def measure(side: str) -> None:
    """Print by how many KiB a step raises the peak above what the process idles at."""
    torch.set_num_threads(1)
    trunk, plain = pair("trainable")
    network: nn.Module = plain if side == "plain" else trunk
    stem = stem_of(plain if side == "plain" else trunk.backbone)
    slices = made_up_images(STEM_SLICES, (1, SIZE, SIZE), 0)
    step(network, stem, slices[:1])  # allocates the kernels
    before = peak_kibibytes("VmRSS")
    step(network, stem, slices)
    print(peak_kibibytes("VmHWM") - before)


if __name__ == "__main__":
    measure(sys.argv[1])
