"""The composed model: encoders by modality, one fusion, one head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, cast

import torch
from torch import Tensor, nn

from survkit.errors import DataError
from survkit.flow import Encoding, ModalityInput, ModelOutput, projected, select
from survkit.prediction import SurvivalPrediction
from survkit.protocols import Encoder, Fusion, SurvivalHead
from survkit.specs import EncodingSpec


class SurvivalModel(nn.Module):
    """Encoders, fusion and head as one network.

    An encoder only ever sees subjects who have its modality, so zeros that stand for a missing
    image reach no normalisation statistic and no gradient.
    """

    def __init__(
        self, *, encoders: Mapping[str, nn.Module], fusion: nn.Module, head: nn.Module
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({name: encoders[name] for name in sorted(encoders)})
        self.fusion = fusion
        self.head = head

    @property
    def modalities(self) -> tuple[str, ...]:
        """Names of the modalities it takes, sorted."""
        return tuple(self.encoders)

    @property
    def parameterization(self) -> str:
        """What the head's parameters mean."""
        return cast(SurvivalHead, self.head).parameterization

    def encode(
        self, inputs: Mapping[str, ModalityInput], *, penalties: bool = True
    ) -> dict[str, Encoding]:
        """Encode every modality.

        Raises:
            DataError: A modality of the model is not among the inputs.
        """
        absent = [name for name in self.modalities if name not in inputs]
        if absent:
            raise DataError(
                f"the model takes the modalities {', '.join(self.modalities)}, "
                f"but {', '.join(absent)} is not given; "
                "a subject without it is a row with present=False, not a missing key"
            )
        return {
            name: encode_present(cast(Encoder, encoder), inputs[name], penalties=penalties)
            for name, encoder in self.encoders.items()
        }

    def decide(self, encodings: Mapping[str, Encoding]) -> ModelOutput:
        """Fuse the encodings, projected where the fusion does not ask otherwise; apply the head."""
        if not getattr(self.fusion, "reads_unprojected", False):
            encodings = {name: projected(encoding) for name, encoding in encodings.items()}
        fused = cast(Fusion, self.fusion)(encodings)
        penalties = {
            f"{name}.{penalty}": value
            for name, encoding in encodings.items()
            for penalty, value in encoding.penalties.items()
        }
        penalties |= {f"fusion.{penalty}": value for penalty, value in fused.penalties.items()}
        return ModelOutput(
            parameters=self.head(fused.embedding),
            parameterization=self.parameterization,
            embedding=fused.embedding,
            modality_embeddings=fused.modality_embeddings,
            penalties=penalties,
        )

    def forward(
        self, inputs: Mapping[str, ModalityInput], *, penalties: bool = True
    ) -> ModelOutput:
        """Return everything a loss may look at."""
        return self.decide(self.encode(inputs, penalties=penalties))

    def predict(self, inputs: Mapping[str, ModalityInput]) -> SurvivalPrediction:
        """Return the typed prediction; call it in eval mode and without gradients."""
        return cast(SurvivalHead, self.head).predict(self(inputs, penalties=False).parameters)


def encode_present(encoder: Encoder, input: ModalityInput, *, penalties: bool) -> Encoding:
    """Encode those who have the modality, and put zeros with ``present=False`` in the rows of the
    others.
    """
    if input.complete:
        return encoder(input, penalties=penalties)
    rows = input.present.nonzero().flatten()
    if len(rows) == 0:
        return _nobody(encoder.encoding, input, penalties=penalties)
    part = encoder(replace(select(input, rows), complete=True), penalties=penalties)
    return _scatter(part, rows, input.present)


def _scatter(part: Encoding, rows: Tensor, present: Tensor) -> Encoding:
    """Return the encoding of all subjects from that of the present ones."""

    def spread(value: Any) -> Any:
        if isinstance(value, Tensor):
            return value.new_zeros(len(present), *value.shape[1:]).index_copy(0, rows, value)
        if isinstance(value, Mapping):
            return {name: spread(inner) for name, inner in value.items()}
        return value

    changes = {
        item.name: spread(getattr(part, item.name))
        for item in fields(part)
        if item.name != "present"
    }
    return Encoding(present=present, **changes)


def _nobody(spec: EncodingSpec, input: ModalityInput, *, penalties: bool) -> Encoding:
    """Return the encoding of a batch in which nobody has the modality."""
    batch, tokens = len(input.present), spec.tokens or 1
    empty = torch.zeros(
        batch, tokens, spec.dim, device=input.values.device, dtype=input.values.dtype
    )
    return Encoding(
        tokens=empty,
        summary=empty[:, 0],
        present=input.present,
        token_mask=None if spec.tokens else input.present.new_zeros(batch, tokens),
        grid=spec.grid,
        continuous=empty if spec.has_continuous else None,
        penalties={name: empty.new_zeros(batch) for name in spec.penalties} if penalties else {},
    )
