"""Self-attention over the tokens of all modalities."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import check_dropout
from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import (
    check_modalities,
    drop_modalities,
    presence,
    real_tokens,
    sorted_modalities,
    where_present,
)
from survkit.fusions.token_attention import AttentionBlock, TokenPool
from survkit.specs import EncodingSpec


class AttentionFusion(nn.Module):
    """Lets all tokens of all modalities attend to each other, then pools them by attention.

    Tokens are projected to a common width and told their modality by a learned vector; padding
    tokens and modalities a subject lacks are masked. The pooled vector of each modality alone is
    ``modality_embeddings`` (zero where absent); pooling all of them together is the embedding.
    ``attention_weights`` hold the pooling weights: over the modalities under ``"modality"`` (sorted
    names), and within each modality over its tokens, each summing to one (0 where absent).

    Args:
        encodings: What the encoders give.
        dim: Common width, a multiple of ``heads``.
        heads: Attention heads.
        layers: Self-attention layers; 0 only pools.
        dropout: Dropout rate within the layers.
        modality_dropout: Probability that a present modality is treated as absent in training;
            never a subject's last.

    Raises:
        CompositionError: No modality.
        ConfigError: ``dim`` is no multiple of ``heads``.
    """

    def __init__(
        self,
        encodings: Mapping[str, EncodingSpec],
        *,
        dim: int = 64,
        heads: int = 4,
        layers: int = 1,
        dropout: float = 0.0,
        modality_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        check_dropout(dropout)
        check_dropout(modality_dropout, "modality_dropout")
        if heads < 1 or layers < 0 or dim < 1 or dim % heads:
            raise ConfigError(
                "AttentionFusion needs at least one head, no negative number of layers and a dim "
                f"that is a multiple of the heads, not heads={heads}, layers={layers}, dim={dim}"
            )
        self.names = sorted_modalities(encodings)
        self.modality_dropout, self._dim = modality_dropout, dim
        self.projections = nn.ModuleList(nn.Linear(encodings[name].dim, dim) for name in self.names)
        self.modality_vectors = nn.ParameterList(torch.randn(dim) * 0.02 for _ in self.names)
        self.blocks = nn.ModuleList(
            AttentionBlock(dim, heads=heads, dropout=dropout) for _ in range(layers)
        )
        self.pool = TokenPool(dim)

    @property
    def dim(self) -> int:
        """The common width."""
        return self._dim

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Attend and pool; refuses other modalities than it was built for."""
        check_modalities(self.names, encodings)
        present = presence(self.names, encodings)
        used = drop_modalities(present, self.modality_dropout if self.training else 0.0)
        sizes = [encodings[name].tokens.shape[1] for name in self.names]
        tokens = torch.cat(self._tokens(encodings), dim=1)
        real = torch.cat([real_tokens(encodings[name]) for name in self.names], dim=1)
        owner = torch.arange(len(sizes), device=tokens.device).repeat_interleave(
            torch.tensor(sizes, device=tokens.device), output_size=sum(sizes)
        )
        attended = real & used[:, owner]
        for block in self.blocks:
            tokens = block(tokens, attended)
        keys, score = self.pool(tokens)
        embedding, weight = _pooled(keys, score, attended)
        modality_embeddings: dict[str, Tensor] = {}
        attention_weights: dict[str, Tensor] = {}
        parts = zip(
            self.names, *(torch.split(whole, sizes, 1) for whole in (keys, score, real, weight)),
            strict=True,
        )  # fmt: skip
        masses = []
        for name, own_keys, own_score, own_real, own_weight in parts:
            modality_embeddings[name], attention_weights[name] = _pooled(
                own_keys, own_score, own_real
            )
            masses.append(own_weight.sum(dim=1))
        attention_weights["modality"] = torch.stack(masses, dim=1)
        return Fused(
            embedding=embedding,
            modality_embeddings=modality_embeddings,
            attention_weights=attention_weights,
        )

    def _tokens(self, encodings: Mapping[str, Encoding]) -> list[Tensor]:
        parts = zip(self.names, self.projections, self.modality_vectors, strict=True)
        tokens = []
        for name, project, vector in parts:
            values = where_present(encodings[name].tokens, encodings[name].present)
            tokens.append(project(values) + vector)
        return tokens


def _pooled(keys: Tensor, score: Tensor, attended: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weighted mean (batch, dim) and weights (batch, token); zero if none is real."""
    some = attended.any(dim=1, keepdim=True)
    weight = score.masked_fill(~attended & some, -torch.inf).softmax(dim=1)
    weight = torch.where(some, weight, torch.zeros((), dtype=weight.dtype, device=weight.device))
    return (weight[:, :, None].to(keys.dtype) * keys).sum(dim=1), weight
