"""The mean over the modalities that a subject has."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from survkit.encoders.perceptron import check_dropout
from survkit.errors import CompositionError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import (
    check_modalities,
    drop_modalities,
    presence,
    sorted_modalities,
)
from survkit.fusions.projections import Projections
from survkit.specs import EncodingSpec


class MeanFusion(nn.Module):
    """Projects the modalities to a common width and takes the mean over those a subject has.

    ``modality_embeddings`` are the projected vectors; zero for subjects without the modality.
    A subject who has none of them gets zeros.

    Args:
        encodings: What the encoders give.
        dim: Common width; ``None`` takes no projection, where all widths are equal anyway.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: No modality, or no projection although the widths differ.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        dim: int | None = 32,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_dropout(modality_dropout, "modality_dropout")
        names = sorted_modalities(encodings)
        if dim is None and len({spec.dim for spec in encodings.values()}) > 1:
            widths = ", ".join(f"{name} {encodings[name].dim}" for name in names)
            raise CompositionError(
                "MeanFusion without projection needs encoders of one width, but they give "
                f"{widths}; set dim= to project them"
            )
        self.modality_dropout = modality_dropout
        self.projections = Projections(encodings, dim=dim)

    @property
    def dim(self) -> int:
        """The common width."""
        return self.projections.dims[self.projections.names[0]]

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Average; refuses other modalities than it was built for."""
        names = self.projections.names
        check_modalities(names, encodings)
        embeddings = self.projections(encodings)
        present = presence(names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        vectors = torch.stack([embeddings[name] for name in names], dim=1)
        weight = used.to(vectors.dtype)
        weight = weight / weight.sum(dim=1, keepdim=True).clamp(min=1)  # 0 where there is none
        return Fused(
            embedding=(weight[:, :, None] * vectors).sum(dim=1), modality_embeddings=embeddings
        )
