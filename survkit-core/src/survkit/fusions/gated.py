"""Learned gates that weigh the modalities a subject has."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import check_dropout
from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import check_modalities, drop_modalities, presence
from survkit.fusions.projections import Projections
from survkit.specs import EncodingSpec


class GatedFusion(nn.Module):
    """Weighs each subject's modalities by learned gates and adds them up.

    Every modality has a gate of its own, ``u . (tanh(V z) * sigmoid(W z))`` on its projected vector
    z; a softmax over the modalities the subject has makes the weights. Fresh gates weigh nearly
    alike. ``attention_weights["modality"]`` are these weights, in sorted order of names, 0 where
    absent; ``modality_embeddings`` are the projected vectors, zero for subjects without the
    modality.

    Args:
        encodings: What the encoders give.
        dim: Width to which each modality is projected.
        gate_dim: Width inside the gates.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: No modality.

    Reference: the gate is that of Ilse, Tomczak, Welling (2018), Attention-based deep multiple
    instance learning, ICML, equation 9; here one per modality.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        dim: int = 32,
        gate_dim: int = 16,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_dropout(modality_dropout, "modality_dropout")
        if gate_dim < 1:
            raise ConfigError(f"gate_dim must be at least 1, not {gate_dim}")
        self.modality_dropout = modality_dropout
        self.projections = Projections(encodings, dim=dim)
        self.gates: nn.ModuleList | None = None
        if len(self.projections.names) > 1:  # a single modality has nothing to weigh
            self.gates = nn.ModuleList(_Gate(dim, gate_dim) for _ in self.projections.names)

    @property
    def dim(self) -> int:
        """The common width."""
        return self.projections.dims[self.projections.names[0]]

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Weigh and add; refuses other modalities than it was built for."""
        names = self.projections.names
        check_modalities(names, encodings)
        embeddings = self.projections(encodings)
        present = presence(names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        vectors = torch.stack([embeddings[name] for name in names], dim=1)
        score = vectors.new_zeros(used.shape)
        if self.gates is not None:
            gated = [gate(embeddings[name]) for name, gate in zip(names, self.gates, strict=True)]
            score = torch.cat(gated, dim=1)
        some = used.any(dim=1, keepdim=True)
        weight = score.masked_fill(~used & some, -torch.inf).softmax(dim=1)
        weight = torch.where(some, weight, torch.zeros_like(weight))
        return Fused(
            embedding=(weight[:, :, None].to(vectors.dtype) * vectors).sum(dim=1),
            modality_embeddings=embeddings,
            attention_weights={"modality": weight},
        )


class _Gate(nn.Module):
    """One modality's score, before the softmax over modalities."""

    def __init__(self, dim: int, gate_dim: int) -> None:
        super().__init__()
        self.content = nn.Linear(dim, gate_dim)
        self.gate = nn.Linear(dim, gate_dim)
        self.score = nn.Linear(gate_dim, 1)
        with torch.no_grad():
            self.score.weight.mul_(0.1)
        nn.init.zeros_(self.score.bias)

    def forward(self, vector: Tensor) -> Tensor:
        """Return the score (batch, 1) of vectors (batch, dim)."""
        score: Tensor = self.score(self.content(vector).tanh() * self.gate(vector).sigmoid())
        return score
