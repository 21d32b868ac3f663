"""The frozen records that flow from the cohort to the loss; every tensor in them is batch first.

Because each record holds nothing but batch-first tensors, named dictionaries of them, and a few
static facts, the engine can cut, move, concatenate and gather any of them without knowing what it
means: :func:`map_tensors`, :func:`select`, :func:`concatenate`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class SurvivalTarget:
    """What was observed.

    Attributes:
        duration: Time from origin to event or censoring, > 0; float64 (batch).
        event: 0 for censored, 1..K for the cause that happened; int64 (batch).
        entry: Delayed entry (left truncation) time, < duration; float64 (batch).
        weight: Case weight, > 0; float64 (batch).
        strata: Group with its own baseline hazard; int64 (batch).
    """

    duration: Tensor
    event: Tensor
    entry: Tensor | None = None
    weight: Tensor | None = None
    strata: Tensor | None = None


@dataclass(frozen=True, slots=True)
class ModalityInput:
    """One modality of a batch of subjects, as an encoder receives it.

    Attributes:
        values: float (batch, *shape), or (batch, token, *shape) where the spec says ``has_tokens``.
            NaN marks a missing value of a table column, or of what an encoder prepared that says
            ``prepares_missing``; no other kind may hold NaN.
        present: Whether the subject has this modality; bool (batch). Rows of absent subjects hold
            zeros and mean nothing; the model never shows them to an encoder.
        token_mask: Which tokens are real; bool (batch, token).
        complete: Known on the host, so that no device has to be asked: every subject has this
            modality.
    """

    values: Tensor
    present: Tensor
    token_mask: Tensor | None = None
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Encoding:
    """What an encoder says about one modality.

    Attributes:
        tokens: (batch, token, dim).
        summary: One vector per subject, a CLS token or the like, else the masked mean of the
            tokens; (batch, dim).
        present: bool (batch).
        token_mask: Which tokens are real; bool (batch, token); ``None`` if all are.
        grid: Axes of the grid the tokens lie on, slowest first; static. Tokens of a volume without
            a grid are taken for its slices in the order of z, from the feet to the head.
        continuous: The unquantized twin of ``tokens``, where there is one; (batch, token, dim).
        attention_weights: Weights over tokens that sum to one, where the encoder attends; (batch,
            token).
        penalties: Per-subject penalties by name; each (batch). Empty when ``penalties=False`` was
            asked.
        projection: A linear layer that is still to be applied to every token (and to the continuous
            twin): ``tokens`` are then its input. A weighted mean of tokens commutes with it where
            the weights sum to one, so a fusion that says ``reads_unprojected`` may pool first and
            project one vector per subject; for every other one :func:`projected` is applied
            beforehand. ``summary`` is always projected. Static.
    """

    tokens: Tensor
    summary: Tensor
    present: Tensor
    token_mask: Tensor | None = None
    grid: tuple[int, ...] | None = None
    continuous: Tensor | None = None
    attention_weights: Tensor | None = None
    penalties: Mapping[str, Tensor] = field(default_factory=dict)
    projection: nn.Linear | None = None


@dataclass(frozen=True, slots=True)
class Fused:
    """What a fusion makes of all modalities.

    Attributes:
        embedding: (batch, dim).
        modality_embeddings: A vector per modality for losses that compare modalities; each (batch,
            dim).
        attention_weights: By modality, weights over its tokens (batch, token); or under
            ``"modality"`` the weights over modalities (batch, modality) in sorted order of their
            names.
        penalties: Per-subject penalties by name; each (batch).
    """

    embedding: Tensor
    modality_embeddings: Mapping[str, Tensor] = field(default_factory=dict)
    attention_weights: Mapping[str, Tensor] = field(default_factory=dict)
    penalties: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelOutput:
    """All that a loss may look at.

    Attributes:
        parameters: What the head gave, meaning as ``parameterization`` says; (batch, ...).
        parameterization: Static name of that meaning, see :mod:`survkit.protocols`.
        embedding: The fused embedding; (batch, dim).
        modality_embeddings: As in :class:`Fused`.
        penalties: By ``"<modality>.<name>"`` or ``"fusion.<name>"``; each (batch).
    """

    parameters: Tensor
    parameterization: str
    embedding: Tensor
    modality_embeddings: Mapping[str, Tensor] = field(default_factory=dict)
    penalties: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Some subjects of a cohort.

    Attributes:
        inputs: By modality.
        target: What was observed.
        row: Position of each subject in the cohort; int64 (batch).
    """

    inputs: Mapping[str, ModalityInput]
    target: SurvivalTarget
    row: Tensor

    def __len__(self) -> int:
        return len(self.row)


def projected(encoding: Encoding) -> Encoding:
    """Return the encoding with its pending projection, if any, applied to every token."""
    layer = encoding.projection
    if layer is None:
        return encoding
    twin = None if encoding.continuous is None else layer(encoding.continuous)
    return replace(encoding, tokens=layer(encoding.tokens), continuous=twin, projection=None)


def map_tensors(record: Record, function: Callable[[Tensor], Tensor]) -> Record:
    """Return the record with ``function`` applied to every tensor in it, at any depth."""
    changes = {item.name: _map(getattr(record, item.name), function) for item in fields(record)}  # type: ignore[arg-type]
    return replace(record, **changes)  # type: ignore[type-var]


def select(record: Record, rows: Tensor) -> Record:
    """Return the record of the given rows (int64 or bool index), in their order.

    ``ModalityInput.complete`` is kept, so a selection of an incomplete input stays "incomplete"
    although it may not be.
    """
    return map_tensors(record, lambda tensor: tensor[rows])


def concatenate(records: Sequence[Record]) -> Record:
    """Join records along the batch axis. Static facts must be equal; a varying token axis is padded
    with zeros.
    """
    first = records[0]
    if len(records) == 1:
        return first
    changes = {
        item.name: _join([getattr(record, item.name) for record in records], item.name)
        for item in fields(first)  # type: ignore[arg-type]
    }
    return replace(first, **changes)  # type: ignore[type-var]


def to_device(record: Record, device: torch.device | str) -> Record:
    """Return the record with every tensor on ``device``, without waiting for the copy."""
    return map_tensors(record, lambda tensor: tensor.to(device, non_blocking=True))


def _map(value: Any, function: Callable[[Tensor], Tensor]) -> Any:
    if isinstance(value, Tensor):
        return function(value)
    if isinstance(value, Mapping):
        return {name: _map(inner, function) for name, inner in value.items()}
    if hasattr(value, "__dataclass_fields__"):
        return map_tensors(value, function)
    return value


def _join(values: list[Any], name: str) -> Any:
    first = values[0]
    if isinstance(first, Tensor):
        return torch.cat(_padded(values))
    if isinstance(first, Mapping):
        if any(value.keys() != first.keys() for value in values):
            raise ValueError(
                f"records to concatenate hold different names in {name}: "
                f"{[list(value) for value in values]}"
            )
        return {key: _join([value[key] for value in values], key) for key in first}
    if hasattr(first, "__dataclass_fields__"):
        return concatenate(values)
    if name == "complete":
        return all(values)
    if any(value != first for value in values):
        raise ValueError(f"records to concatenate differ in {name}: {values}")
    return first


def _padded(tensors: list[Tensor]) -> list[Tensor]:
    """Pad axis 1 (tokens) with zeros to the longest; a mask padded so says that those tokens are
    not real.
    """
    if tensors[0].ndim < 2 or len({tensor.shape[1] for tensor in tensors}) == 1:
        return tensors
    longest = max(tensor.shape[1] for tensor in tensors)
    return [
        torch.cat(
            [tensor, tensor.new_zeros(len(tensor), longest - tensor.shape[1], *tensor.shape[2:])],
            dim=1,
        )
        for tensor in tensors
    ]
