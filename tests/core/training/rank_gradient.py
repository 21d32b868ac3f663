"""One rank of a distributed step; started by test_gather.py, writes its averaged gradient."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from conftest import build_batches, build_model, build_objective
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.training.execution import Execution, RiskSetUnion
from survkit.training.gather import gather_risk_set
from survkit.training.gradient_cache import accumulate_gradients


def main(folder: str, cases: list[str]) -> None:
    """Run one step per case on this rank's share of the micro-batches."""
    rank = int(os.environ["RANK"])
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    for case in cases:
        mode, shares = case.split(":")
        sizes = [[int(size) for size in part.split("+")] for part in shares.split(",")]
        torch.save(gradient(mode, sizes, rank), f"{folder}/{case}.{rank}.pt")
    dist.destroy_process_group()


def gradient(mode: str, sizes: list[list[int]], rank: int) -> dict[str, torch.Tensor]:
    """Return the averaged gradient; in eval mode, since ranks draw differently from one process."""
    model = build_model().eval()
    first = len(sizes[0]) * rank
    batches = build_batches(sizes[0] + sizes[1])[first : first + len(sizes[rank])]
    wrapped = DistributedDataParallel(model)
    counts = [sum(part) for part in sizes]

    def gather(output: ModelOutput, target: SurvivalTarget) -> RiskSetUnion:
        return gather_risk_set(output, target, counts=counts, rank=rank)

    def backward(loss: torch.Tensor) -> None:
        if wrapped.require_backward_grad_sync:
            wrapped.reducer.prepare_for_backward([])
        loss.backward()

    execution = Execution(backward=backward, no_sync=wrapped.no_sync, gather=gather)
    accumulate_gradients(model, build_objective(), batches, mode=mode, execution=execution)
    return {name: value.grad for name, value in model.named_parameters()}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
