"""The concatenation of all modalities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import torch
from torch import nn

from survkit.encoders.perceptron import check_dropout
from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import check_modalities, drop_modalities, presence
from survkit.fusions.projections import Projections
from survkit.specs import EncodingSpec

Absent = Literal["learned", "zero"]


class ConcatFusion(nn.Module):
    """Puts the modalities' summaries side by side, in sorted order of their names.

    A subject without a modality gets a learned vector in its place, which starts at zero (and stays
    there if no training subject lacks the modality), or zeros. ``modality_embeddings`` are the
    vectors before concatenation; zero for subjects without the modality.

    Args:
        encodings: What the encoders give.
        dim: Width to which each modality is projected first; ``None`` leaves it as it is.
        absent: What stands for an absent modality.
        present_indicators: Append one 0/1 entry per modality that says whether it is there.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: No modality.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        dim: int | None = None,
        absent: Absent = "learned",
        present_indicators: bool = False,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if absent not in get_args(Absent):
            raise ConfigError(f"absent must be one of {get_args(Absent)}, not {absent!r}")
        check_dropout(modality_dropout, "modality_dropout")
        self.modality_dropout, self.present_indicators = modality_dropout, present_indicators
        self.projections = Projections(encodings, dim=dim)
        names = self.projections.names
        self.absent: nn.ParameterList | None = None
        if absent == "learned" and len(names) > 1:
            self.absent = nn.ParameterList(
                torch.zeros(self.projections.dims[name]) for name in names
            )
        self._dim = sum(self.projections.dims.values()) + present_indicators * len(names)

    @property
    def dim(self) -> int:
        """Sum of the modalities' widths, and one per indicator."""
        return self._dim

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Concatenate; refuses other modalities than it was built for."""
        names = self.projections.names
        check_modalities(names, encodings)
        embeddings = self.projections(encodings)
        present = presence(names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        parts = []
        for position, name in enumerate(names):
            vector = embeddings[name]
            stand_in = torch.zeros((), dtype=vector.dtype, device=vector.device)
            if self.absent is not None:
                stand_in = self.absent[position].to(vector.dtype)
            parts.append(torch.where(used[:, position, None], vector, stand_in))
        if self.present_indicators:
            parts.append(used.to(parts[0].dtype))
        return Fused(embedding=torch.cat(parts, dim=1), modality_embeddings=embeddings)
