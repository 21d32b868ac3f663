"""The largest value of each entry over the modalities that a subject has."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import (
    check_modalities,
    drop_modalities,
    presence,
    sorted_modalities,
    where_present,
)
from survkit.specs import EncodingSpec
from survkit_robsurv.check_rates import check_rates


class MaxFusion(nn.Module):
    """Projects the modalities to one width and takes, entry by entry, the largest of those present.

    ``modality_embeddings`` are the projected vectors; zero for subjects without the modality.

    Args:
        encodings: What the encoders give.
        dim: Common width.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: No modality.

    Reference: Vale-Silva and Rohr (2021), Long-term cancer survival prediction using multimodal
    deep learning, Scientific Reports 11:13505, row-wise maximum; dropping modalities as in Cheerla
    and Gevaert (2019), Bioinformatics 35:i446.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        dim: int = 512,
        modality_dropout: float = 0.25,
    ) -> None:
        super().__init__()
        check_rates(modality_dropout=modality_dropout)
        if dim < 1:
            raise ConfigError(f"dim must be at least 1, not {dim}")
        self.names, self._dim = sorted_modalities(encodings), dim
        self.modality_dropout = modality_dropout
        # A list, since a modality may have a name that a module's child may not.
        self.projections = nn.ModuleList(nn.Linear(encodings[name].dim, dim) for name in self.names)

    @property
    def dim(self) -> int:
        """The common width."""
        return self._dim

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Pool; refuses other modalities than it was built for."""
        check_modalities(self.names, encodings)
        embeddings = {}
        for name, layer in zip(self.names, self.projections, strict=True):
            encoding = encodings[name]
            vector = layer(where_present(encoding.summary, encoding.present))
            embeddings[name] = where_present(vector, encoding.present)
        present = presence(self.names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        vectors = torch.stack([embeddings[name] for name in self.names], dim=1)
        lowest = torch.finfo(vectors.dtype).min
        largest = vectors.masked_fill(~used[:, :, None], lowest).amax(dim=1)
        return Fused(
            embedding=where_present(largest, used.any(dim=1)), modality_embeddings=embeddings
        )
