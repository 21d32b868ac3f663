"""One step of a quantizer on two processes and on one; started by a test, which compares them."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from tests.robsurv.quantizer.test_vector_quantizer import built, drawn
from torch import distributed, multiprocessing


def step(learning: str, folder: str, rank: int | None) -> None:
    quantizer = built(learning=learning, restart_after=1).train()
    tokens = drawn(4, 2, 6)
    quantizer(tokens if rank is None else tokens[2 * rank : 2 * rank + 2])
    torch.manual_seed(0)
    quantizer.after_step()
    health = quantizer.epoch_health()
    assert health is not None
    name = "alone" if rank is None else str(rank)
    found = {**quantizer.state_dict(), "health": dict(health.values)}
    torch.save(found, Path(folder) / f"{learning}-{name}.pt")


def on_rank(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2
    )
    for learning in ("gradient", "ema"):
        step(learning, folder, rank)
    distributed.destroy_process_group()


if __name__ == "__main__":
    for learning in ("gradient", "ema"):
        step(learning, sys.argv[1], None)
    multiprocessing.start_processes(on_rank, args=(sys.argv[1],), nprocs=2, start_method="fork")
