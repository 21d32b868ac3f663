"""Soft attention: each modality's tokens weighed by a learned score, summed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from survkit.errors import ConfigError
from survkit.flow import Encoding, Fused
from survkit.fusions.modalities import check_modalities, real_tokens, sorted_modalities
from survkit.specs import EncodingSpec

Scorer = Literal["linear", "mlp"]
HIDDEN = 128


class SoftAttention(nn.Module):
    """Pools tokens: a_j = u . s_j + c, weights softmax over the real tokens of a subject, x = sum
    of w_j s_j.

    A pool per modality; the pooled vectors stand side by side in sorted order of names, zeros for
    a subject without the modality. Any encodings with tokens can be pooled, on a grid or not.
    ``attention_weights`` are the w of each modality, ``modality_embeddings`` the pooled vectors. A
    modality of one token per subject has nothing to weigh, and no scorer.

    A linear layer that the encoder left pending is applied to the one pooled vector instead of
    every token: scores are linear and weights sum to one, so value and gradient are the same.

    The constant c has no part in the weights (a softmax ignores a shift), so it is there, as in the
    paper's 257 numbers for tokens of 256, but cannot learn.

    Args:
        encodings: What the encoders give.
        scorer: ``linear`` as in the paper; ``mlp``: 128, 128, 1 with ReLU, which its code offers.

    Raises:
        CompositionError: No modality.

    Reference: Paolo et al. (2026), Health Inf Sci Syst 14:20.
    """

    reads_unprojected = True

    def __init__(self, encodings: Mapping[str, EncodingSpec], *, scorer: Scorer = "linear") -> None:
        super().__init__()
        if scorer not in ("linear", "mlp"):
            raise ConfigError(f"scorer must be linear or mlp, not {scorer!r}")
        self.names = sorted_modalities(encodings)
        self._dims = {name: encodings[name].dim for name in self.names}
        # A list, since a modality may have a name that a module's child may not.
        self.scorers = nn.ModuleList(
            nn.Identity() if encodings[name].tokens == 1 else _scorer(scorer, self._dims[name])
            for name in self.names
        )

    @property
    def dim(self) -> int:
        """The widths of the modalities together."""
        return sum(self._dims.values())

    @property
    def penalties(self) -> tuple[str, ...]:
        """None."""
        return ()

    def forward(self, encodings: Mapping[str, Encoding]) -> Fused:
        """Pool each modality; refuses other modalities than it was built for."""
        check_modalities(self.names, encodings)
        embeddings: dict[str, Tensor] = {}
        attention: dict[str, Tensor] = {}
        for name, scorer in zip(self.names, self.scorers, strict=True):
            encoding = encodings[name]
            attention[name] = _weights_over(_scores(scorer, encoding), real_tokens(encoding))
            pool, layer = _pooled(attention[name], encoding.tokens), encoding.projection
            if layer is not None:
                pool = torch.where(encoding.present[:, None], layer(pool), 0)
            embeddings[name] = pool
        return Fused(
            embedding=torch.cat([embeddings[name] for name in self.names], dim=1),
            modality_embeddings=embeddings,
            attention_weights=attention,
        )


def _scorer(kind: Scorer, dim: int) -> nn.Module:
    last = nn.Linear(dim if kind == "linear" else HIDDEN, 1)
    last.bias.requires_grad_(False)
    if kind == "linear":
        return last
    return nn.Sequential(
        nn.Linear(dim, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), last
    )


def _scores(scorer: nn.Module, encoding: Encoding) -> Tensor:
    """Return the score of every token, (batch, token)."""
    layer, tokens = encoding.projection, encoding.tokens
    if isinstance(scorer, nn.Identity):
        return tokens.new_zeros(tokens.shape[:2])
    if layer is None:
        scores: Tensor = scorer(tokens)
    elif isinstance(scorer, nn.Linear):
        scores = tokens @ (scorer.weight @ layer.weight)[0][:, None] + scorer.bias
        if layer.bias is not None:
            scores = scores + scorer.weight @ layer.bias
    else:
        scores = scorer(layer(tokens))
    return scores.squeeze(2)


def _weights_over(scores: Tensor, real: Tensor) -> Tensor:
    """Return the softmax of scores (batch, token) over real tokens; zeros where there is none."""
    some = real.any(dim=1, keepdim=True)
    weights = scores.masked_fill(~real & some, -torch.inf).softmax(dim=1)
    return torch.where(some, weights, 0)


def _pooled(weights: Tensor, tokens: Tensor) -> Tensor:
    """Return the weighted sum of tokens, (batch, dim)."""
    return torch.einsum("bt,btd->bd", weights.to(tokens.dtype), tokens)
