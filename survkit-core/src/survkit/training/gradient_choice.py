"""One graph where it fits, two passes where it does not.

Two passes cost a second forward, about a third more time when everything trains and twice the time
when almost nothing does, and save the activations of all micro-batches but one. So they are chosen
only where those activations would not fit.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch
from torch import Tensor

from survkit.flow import Batch
from survkit.model import SurvivalModel
from survkit.training.buffers import buffers_put_back
from survkit.training.execution import Execution
from survkit.training.gradient_cache import GradientMode
from survkit.training.random_state import RandomState
from survkit.training.staged_forward import is_trainable

MEMORY_SHARE = 0.4
"""Share of the device's memory that the activations of one graph may take."""


@dataclass(frozen=True, slots=True)
class GradientChoice:
    """How gradients will be computed, and why.

    Attributes:
        mode: One graph or two passes.
        reason: In words, for the log.
    """

    mode: GradientMode
    reason: str


def choose_gradient(
    model: SurvivalModel,
    batch: Batch,
    *,
    micro_batches: int,
    penalties: bool,
    execution: Execution,
    limit: int | None = None,
) -> GradientChoice:
    """Choose by what is trainable and by what the activations of one micro-batch take.

    The limit is a share of all memory, not of what happens to be free, so that the same machine
    always chooses alike.

    Args:
        model: In training mode; its state and the random generators are left as they are.
        batch: The largest micro-batch.
        micro_batches: How many of them a risk set has on this device.
        penalties: Whether the objective weighs penalties.
        execution: Precision of the forward.
        limit: Bytes that activations may take; a share of the device's memory by default.
    """
    if micro_batches == 1:
        return GradientChoice("one-graph", "the risk set is one micro-batch")
    if not any(is_trainable(encoder) for encoder in model.encoders.values()):
        return GradientChoice("one-graph", "nothing in the encoders is trainable")
    device = next(model.parameters()).device
    limit = round(MEMORY_SHARE * total_memory(device)) if limit is None else limit
    one = activation_bytes(model, batch, penalties=penalties, execution=execution)
    need = one * micro_batches
    numbers = f"{micro_batches} micro-batches × {_megabytes(one)} of activations"
    if need <= limit:
        return GradientChoice("one-graph", f"{numbers} fit into {_megabytes(limit)}")
    return GradientChoice("two-pass", f"{numbers} exceed {_megabytes(limit)}")


def activation_bytes(
    model: SurvivalModel, batch: Batch, *, penalties: bool, execution: Execution
) -> int:
    """Return the bytes that autograd keeps for the backward of one micro-batch, weights left
    out.
    """
    weights = {value.untyped_storage().data_ptr() for value in model.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    state = RandomState.capture(next(model.parameters()).device)
    try:
        with (
            buffers_put_back([model]),
            torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor),
            execution.autocast(),
        ):
            output = model(batch.inputs, penalties=penalties)
        del output
    finally:
        state.restore()
        torch.clear_autocast_cache()
    return sum(kept.values())


def total_memory(device: torch.device) -> int:
    """Return the bytes of memory that the device has, used or not."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _megabytes(count: int) -> str:
    return f"{count / 2**20:,.0f} MiB"
