"""Joins the outputs of all ranks, so that every rank sees the loss of the whole risk set.

Only values travel. Every rank then computes the same loss and keeps the gradient of its own slice,
so no collective needs a backward. Gradients are averaged over ranks afterwards, which divides by
their number; the step therefore multiplies by it (``RiskSetUnion.ranks``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from survkit.flow import ModelOutput, SurvivalTarget, map_tensors
from survkit.training.execution import RiskSetUnion

Record = TypeVar("Record")


def gather_risk_set(
    output: ModelOutput, target: SurvivalTarget, *, counts: Sequence[int], rank: int
) -> RiskSetUnion:
    """Return the union over all ranks; this rank's own rows keep their graph.

    Args:
        output: Of this rank's subjects.
        target: Of this rank's subjects.
        counts: Number of subjects on each rank, which every rank knows from the sampler; so nobody
            has to wait for the device to learn how much the others send.
        rank: This rank.
    """
    return RiskSetUnion(
        output=gather_records(output, counts=counts, rank=rank),
        target=gather_records(target, counts=counts, rank=rank),
        start=sum(counts[:rank]),
        ranks=len(counts),
    )


def gather_records(record: Record, *, counts: Sequence[int], rank: int) -> Record:
    """Return the records of all ranks joined in the order of the ranks."""
    return map_tensors(record, lambda tensor: _gather(tensor, counts, rank))


def _gather(tensor: Tensor, counts: Sequence[int], rank: int) -> Tensor:
    """Pad to the largest count, gather, cut."""
    longest = max(counts)
    own = tensor.detach()
    padding = own.new_zeros(longest - len(own), *own.shape[1:])
    padded = torch.cat([own, padding]).contiguous()
    received = [torch.empty_like(padded) for _ in counts]
    dist.all_gather(received, padded)
    parts = [part[:count] for part, count in zip(received, counts, strict=True)]
    parts[rank] = tensor
    return torch.cat(parts)
