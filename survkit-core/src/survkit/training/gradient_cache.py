"""Exact gradients over a risk set that does not fit into memory at once.

Losses couple the subjects of a risk set, so a mean of losses over micro-batches is another loss.
Gradient caching (Gao et al. 2021, "Scaling deep contrastive learning batch size under memory
limited setup") gives the gradient of the loss over the union: pass 1 keeps only the outputs, the
loss gives its gradient with respect to them, and pass 2 repeats each micro-batch with a graph and
carries that gradient on. Both ways below accumulate into ``.grad`` the same numbers as one backward
through all micro-batches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from survkit.flow import Batch, ModelOutput, SurvivalTarget, concatenate, map_tensors
from survkit.model import SurvivalModel
from survkit.objective import Objective
from survkit.training.buffers import buffers_put_back
from survkit.training.execution import Execution
from survkit.training.staged_forward import (
    Replay,
    first_forward,
    run_twice,
    second_forward,
    widen,
)

GradientMode = Literal["one-graph", "two-pass"]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What one step leaves for the log, on the device, without a graph.

    Attributes:
        terms: Weighted losses of the risk set by name; equal on every rank.
        penalty: This rank's share of the weighted mean penalties.
    """

    terms: Mapping[str, Tensor]
    penalty: Tensor


def accumulate_gradients(
    model: SurvivalModel,
    objective: Objective,
    batches: Sequence[Batch],
    *,
    mode: GradientMode,
    execution: Execution | None = None,
) -> StepResult:
    """Add the gradient of the objective over the risk set to ``.grad`` of every trainable
    parameter.

    Args:
        model: In training mode.
        objective: Losses see the union; penalties are means over it.
        batches: This rank's micro-batches, at least one; read in order, twice for ``"two-pass"``.
        mode: ``"one-graph"`` keeps all graphs at once, ``"two-pass"`` one at a time.
        execution: Precision and ranks; a plain float loop on one device by default.
    """
    run = one_graph if mode == "one-graph" else two_pass
    return run(model, objective, batches, execution or Execution())


def one_graph(
    model: SurvivalModel, objective: Objective, batches: Sequence[Batch], execution: Execution
) -> StepResult:
    """One backward through all micro-batches."""
    outputs, targets = [], []
    for batch in batches:
        with execution.autocast():
            outputs.append(widen(model(batch.inputs, penalties=objective.has_penalties)))
        targets.append(batch.target)
    own = concatenate(outputs)
    union = execution.gather(replace(own, penalties={}), concatenate(targets))
    terms = objective.loss_terms(union.output, union.target)
    penalty = _penalty(objective, own, len(union.output.parameters))
    execution.backward(union.ranks * (_sum(terms, own) + penalty))
    return StepResult({name: value.detach() for name, value in terms.items()}, penalty.detach())


def two_pass(
    model: SurvivalModel, objective: Objective, batches: Sequence[Batch], execution: Execution
) -> StepResult:
    """A pass without graph for the outputs, then one with graph per micro-batch for the
    gradient.
    """
    outputs, replays, targets = _first_pass(model, objective, batches, execution)
    counts = [len(output.parameters) for output in outputs]
    union = execution.gather(concatenate(outputs), concatenate(targets))
    terms, gradients = _output_gradients(objective, union.output, union.target)
    subjects, start = len(union.output.parameters), union.start
    penalty = union.output.parameters.new_zeros(())
    for index, (batch, replay) in enumerate(zip(batches, replays, strict=True)):
        last = index == len(replays) - 1
        with nullcontext() if last else execution.no_sync():
            torch.clear_autocast_cache()
            with execution.autocast():
                output = second_forward(model, batch, replay, penalties=objective.has_penalties)
            share = _penalty(objective, output, subjects)
            seeded = _carry(output, gradients, slice(start, start + counts[index])) + share
            execution.backward(union.ranks * seeded)
        penalty = penalty + share.detach()
        start += counts[index]
    return StepResult(terms, penalty)


def _first_pass(
    model: SurvivalModel, objective: Objective, batches: Sequence[Batch], execution: Execution
) -> tuple[list[ModelOutput], list[Replay], list[SurvivalTarget]]:
    """Return outputs, what repeats them, and targets; the buffers are afterwards as before."""
    outputs, replays, targets = [], [], []
    device = next(model.parameters()).device
    with buffers_put_back(run_twice(model)), torch.no_grad():
        for batch in batches:
            with execution.autocast():
                output, replay = first_forward(
                    model, batch, device, frozen_penalties=objective.has_penalties
                )
            outputs.append(replace(output, penalties={}))
            replays.append(replay)
            targets.append(batch.target)
    return outputs, replays, targets


def _output_gradients(
    objective: Objective, output: ModelOutput, target: SurvivalTarget
) -> tuple[dict[str, Tensor], ModelOutput]:
    """Return the loss terms, and their gradient in the place of each output (``None`` where there
    is none).
    """
    leaves = map_tensors(output, lambda tensor: tensor.detach().requires_grad_())
    terms = objective.loss_terms(leaves, target)
    total = _sum(terms, leaves)
    total.backward()  # type: ignore[no-untyped-call]
    detached = {name: value.detach() for name, value in terms.items()}
    return detached, leaves


def _carry(output: ModelOutput, leaves: ModelOutput, rows: slice) -> Tensor:
    """Return the scalar whose gradient with respect to the output is the given rows of the leaves'
    gradient.
    """
    pairs = [
        (output.parameters, leaves.parameters.grad),
        (output.embedding, leaves.embedding.grad),
        *(
            (value, leaves.modality_embeddings[name].grad)
            for name, value in output.modality_embeddings.items()
        ),
    ]
    total = output.parameters.sum() * 0  # keeps the graph where no loss has a gradient
    for value, gradient in pairs:
        if gradient is not None:
            total = total + (value * gradient[rows]).sum()
    return total


def _penalty(objective: Objective, output: ModelOutput, subjects: int) -> Tensor:
    if not objective.has_penalties:
        return output.parameters.new_zeros(())
    return objective.penalty(output, subjects)


def _sum(terms: Mapping[str, Tensor], output: ModelOutput) -> Tensor:
    """Return the sum of the losses; without any, a zero that keeps the graph."""
    if not terms:
        return output.parameters.sum() * 0
    values = list(terms.values())
    return sum(values[1:], values[0])
