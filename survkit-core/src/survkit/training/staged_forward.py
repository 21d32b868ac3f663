"""The forward of one micro-batch in stages whose random draws can be repeated one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from survkit.flow import Batch, Encoding, ModelOutput
from survkit.model import SurvivalModel, encode_present
from survkit.protocols import Encoder
from survkit.training.random_state import RandomState


@dataclass(frozen=True, slots=True)
class Replay:
    """What is needed to repeat the forward of one micro-batch.

    Attributes:
        states: Random state at the start of each encoder, by modality.
        decision: Random state at the start of fusion and head.
        encodings: Finished encodings of encoders in which nothing is trainable; they are not run
            again.
    """

    states: Mapping[str, RandomState]
    decision: RandomState
    encodings: Mapping[str, Encoding]


def first_forward(
    model: SurvivalModel, batch: Batch, device: torch.device, *, frozen_penalties: bool
) -> tuple[ModelOutput, Replay]:
    """Run the micro-batch without what only feeds penalties and keep what repeats it.

    An encoder may draw random numbers for its penalties only after those that its tokens need: the
    second forward starts each stage from the kept state, so draws of a decoder cannot shift the
    stages after it.
    """
    states: dict[str, RandomState] = {}
    encodings: dict[str, Encoding] = {}
    kept: dict[str, Encoding] = {}
    for name, encoder in model.encoders.items():
        states[name] = RandomState.capture(device)
        frozen = not is_trainable(encoder)
        encoding = encode_present(
            cast(Encoder, encoder), batch.inputs[name], penalties=frozen and frozen_penalties
        )
        encodings[name] = encoding
        if frozen:
            kept[name] = encoding
    decision = RandomState.capture(device)
    output = widen(model.decide(encodings))
    return output, Replay(states, decision, kept)


def second_forward(
    model: SurvivalModel, batch: Batch, replay: Replay, *, penalties: bool
) -> ModelOutput:
    """Repeat the micro-batch with the random draws of the first forward."""
    encodings = dict(replay.encodings)
    for name, encoder in model.encoders.items():
        if name not in encodings:
            replay.states[name].restore()
            encodings[name] = encode_present(
                cast(Encoder, encoder), batch.inputs[name], penalties=penalties
            )
    replay.decision.restore()
    return widen(model.decide(encodings))


def run_twice(model: SurvivalModel) -> list[nn.Module]:
    """Return the parts that both passes run."""
    return [*filter(is_trainable, model.encoders.values()), model.fusion, model.head]


def is_trainable(part: nn.Module) -> bool:
    """Whether any parameter of the part gets a gradient."""
    return any(parameter.requires_grad for parameter in part.parameters())


def widen(output: ModelOutput) -> ModelOutput:
    """Return the output with half-precision numbers as float32, so that their gradients do not
    underflow.
    """

    def wide(tensor: Tensor) -> Tensor:
        return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor

    return replace(
        output,
        parameters=wide(output.parameters),
        embedding=wide(output.embedding),
        modality_embeddings={
            name: wide(value) for name, value in output.modality_embeddings.items()
        },
        penalties={name: wide(value) for name, value in output.penalties.items()},
    )
