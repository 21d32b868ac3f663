"""Start-up: ``survkit list`` and ``import survkit``, against importing torch in the same run."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

import pytest

REPEATS = 7
COMMANDS = {
    "python": ["-c", "pass"],
    "import survkit": ["-c", "import survkit"],
    "survkit list": ["-m", "survkit", "list"],
    "import torch": ["-c", "import torch"],
}


def seconds(arguments: list[str]) -> float:
    """Return how long a fresh process takes."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


@pytest.mark.benchmark
def test_looking_around_costs_a_fraction_of_importing_torch(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Targets: list 0.15 s, import 0.05 s, where importing torch takes 1.3 s; 30 % slack."""
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for repeat in range(REPEATS + 1):
        for name, arguments in COMMANDS.items():
            elapsed = seconds(arguments)
            if repeat:  # the first round fills the disk cache
                taken[name].append(elapsed)
    middle = {name: median(times) for name, times in taken.items()}
    torch = middle["import torch"]
    listing, importing = torch / middle["survkit list"], torch / middle["import survkit"]

    with capsys.disabled():
        shown = ", ".join(f"{name} {1000 * each:.0f} ms" for name, each in middle.items())
        print(f"\nstart-up: {shown}; torch / list {listing:.1f}, torch / import {importing:.1f}")
    assert listing >= 0.7 * 1.3 / 0.15
    assert importing >= 0.7 * 1.3 / 0.05
