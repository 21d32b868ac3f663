"""The slice trunk against a plain call of timm, and its training step against one graph."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from survkit_slicetention.trunk.random_weights import made_up_images
from survkit_slicetention.trunk.slice_trunk import SliceTrunk, TrunkSettings

SLICES, SIZE = 72, 224
TIME_TARGET, MEMORY_TARGET, SLACK = 3.0, 4.0, 1.3


def trunk(stem: str, chunk: int) -> SliceTrunk:
    """Return EfficientNet-B0 with random weights."""
    return SliceTrunk(
        TrunkSettings(
            backbone="efficientnet_b0",
            weights=None,
            weights_seed=0,
            size=SIZE,
            freeze="last",
            stem=stem,  # type: ignore[arg-type]
            chunk=chunk,
        )
    )


@pytest.mark.benchmark
def test_the_frozen_trunk_is_faster_than_a_plain_call() -> None:
    """72 slices of 224 x 224, one thread, interleaved; time of the processor, medians."""
    import timm

    torch.set_num_threads(1)
    ours = trunk("frozen", 8)
    plain = timm.create_model("efficientnet_b0", in_chans=1, num_classes=0).eval()
    plain.load_state_dict(ours.backbone.state_dict())
    values = made_up_images(SLICES, (1, SIZE, SIZE), seed=0)
    seconds: dict[str, list[float]] = {"ours": [], "timm": []}
    for _ in range(4):
        for name, network in (("ours", ours), ("timm", plain)):
            start = time.process_time()
            with torch.no_grad():
                network(values)
            seconds[name].append(time.process_time() - start)

    fast, slow = (statistics.median(seconds[name][1:]) for name in ("ours", "timm"))
    print(f"\n72 slices: ours {fast:.2f} s, timm {slow:.2f} s, ratio {slow / fast:.1f}")
    assert slow / fast > TIME_TARGET / SLACK


def peak_of(way: str) -> float:
    """Return the MiB by which a training step through the stem raises the peak, in this process."""
    torch.set_num_threads(1)
    network = trunk("trainable", 8)
    values = made_up_images(SLICES // 2, (1, SIZE, SIZE), seed=0)
    run = network.backbone if way == "one-graph" else network
    before = peak_resident()
    start = time.process_time()
    run(values.contiguous(memory_format=torch.channels_last)).square().mean().backward()
    seconds = time.process_time() - start
    print(f"{seconds:.2f}", end=" ")
    return peak_resident() - before


def peak_resident() -> float:
    """Return the peak of this program's resident memory in MiB.

    From the kernel's table, since getrusage hands the parent's peak down to a child.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


@pytest.mark.benchmark
def test_a_trainable_stem_needs_the_memory_of_a_chunk() -> None:
    """36 slices, a fresh process each: peak resident memory of the step."""
    found = {}
    for way in ("one-graph", "chunks"):
        done = subprocess.run(
            [sys.executable, str(Path(__file__)), way], capture_output=True, text=True, check=True
        )
        seconds, peak = map(float, done.stdout.split())
        found[way] = peak
        print(f"\n{way}: {seconds:.2f} s, {peak:,.0f} MiB")

    assert found["one-graph"] / found["chunks"] > MEMORY_TARGET / SLACK


if __name__ == "__main__":
    print(peak_of(sys.argv[1]))
