"""Two ranks have the gradient of one process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch

from survkit.training.gradient_cache import accumulate_gradients

SCRIPT = Path(__file__).with_name("rank_gradient.py")


CASES = ["two-pass:3+3+2,3", "one-graph:3+2,2+2+1", "two-pass:2+2+2,1+1"]


def test_two_ranks_have_the_gradient_of_one_process(
    tmp_path: Path,
    model_factory: Callable[..., torch.nn.Module],
    objective_factory: Callable[..., object],
    batches_factory: Callable[..., list[object]],
) -> None:
    """Ragged shares and different numbers of micro-batches, with penalties, to 1e-10."""
    run_ranks(tmp_path)

    for case in CASES:
        sizes = [int(size) for size in case.split(":")[1].replace(",", "+").split("+")]
        model = model_factory().eval()
        accumulate_gradients(model, objective_factory(), batches_factory(sizes), mode="one-graph")
        for rank in range(2):
            found = torch.load(tmp_path / f"{case}.{rank}.pt")
            for name, value in model.named_parameters():
                torch.testing.assert_close(
                    found[name], value.grad, rtol=1e-10, atol=1e-10, msg=f"{case} {name}"
                )


def run_ranks(folder: Path) -> None:
    """Run both ranks; each leaves the gradient it ends with."""
    ranks = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), *CASES],
            env=os.environ | {"RANK": str(rank), "OMP_NUM_THREADS": "1"},
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in ranks:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors
