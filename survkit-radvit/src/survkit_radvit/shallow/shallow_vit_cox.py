"""One attention layer and a two-layer perceptron that give a log hazard; tokens can be dropped."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Position = Literal["none", "learned"]
_POSITION_SD = 0.02


class ShallowViTCox(nn.Module):
    """The shallow Vision Transformer of the experiments.

    ``A = softmax((x W_Q) (x W_K)^T / sqrt(attention_dim))``, a row per query;
    ``o_l = a^T ReLU(W_O (A x W_V)_l + b)``; the log hazard is the mean of ``o_l`` over the tokens.
    Nothing but W_O has a bias: a Cox model has no intercept that could be told.

    Args:
        tokens: Tokens per subject.
        dim: Width of a token.
        attention_dim: Width of queries and keys.
        hidden: Width of the perceptron.
        position: ``"learned"`` adds a vector per place to the tokens, ``"none"`` leaves the model
            blind to where a token is.

    Reference: after Li, Wang, Liu and Chen (2023), arXiv 2302.06015, equation 1, where the hinge
        loss stands in place of Cox's.
    """

    def __init__(
        self,
        *,
        tokens: int = 36,
        dim: int = 64,
        attention_dim: int = 32,
        hidden: int = 32,
        position: Position = "none",
    ) -> None:
        super().__init__()
        self.query = nn.Linear(dim, attention_dim, bias=False)
        self.key = nn.Linear(dim, attention_dim, bias=False)
        self.value = nn.Linear(dim, dim, bias=False)
        self.perceptron = nn.Linear(dim, hidden)
        self.output = nn.Linear(hidden, 1, bias=False)
        self.position: nn.Parameter | None = None
        if position == "learned":
            self.position = nn.Parameter(_POSITION_SD * torch.randn(tokens, dim))

    def forward(
        self, tokens: Tensor, kept: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """Return the log relative hazard, (batch).

        Tokens that are not kept are neither keys nor part of the mean over queries. That is the
        same as leaving them out (:func:`survkit_radvit.vit.kept_patches.chosen`).

        Args:
            tokens: (batch, token, dim).
            kept: The tokens to use, bool (batch, token), one at least per subject; all where
                ``None``.
            places: Place of each token, int (batch, token); in order where ``None``.
        """
        placed = self._placed(tokens, places)
        attended = self._weights(placed, kept) @ self.value(placed)
        score: Tensor = self.output(torch.relu(self.perceptron(attended)))[..., 0]
        return _mean_of_kept(score, kept)

    def importance(
        self, tokens: Tensor, kept: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """Return how much attention each token gets, the mean over queries: ``I_s = mean_l A_ls``;
        (batch, token), summing to one over the tokens kept, 0 elsewhere.

        Args:
            tokens: As for :meth:`forward`, like the others.
            kept: Tokens to use.
            places: Place of each token.
        """
        return _mean_of_kept(self._weights(self._placed(tokens, places), kept), kept)

    def _placed(self, tokens: Tensor, places: Tensor | None) -> Tensor:
        """Return the tokens with their places added, where the model has any."""
        if self.position is None:
            return tokens
        return tokens + (self.position if places is None else self.position[places])

    def _weights(self, placed: Tensor, kept: Tensor | None) -> Tensor:
        """Return the attention weights, (batch, query, key); each query's sum to one over the keys
        kept.
        """
        queries: Tensor = self.query(placed)
        keys: Tensor = self.key(placed)
        logits = queries @ keys.mT / math.sqrt(keys.shape[-1])
        if kept is not None:
            logits = logits.masked_fill(~kept[:, None], -torch.inf)
        return logits.softmax(dim=-1)


def _mean_of_kept(values: Tensor, kept: Tensor | None) -> Tensor:
    """Return the mean over the kept tokens of values (batch, token, ...)."""
    if kept is None:
        return values.mean(dim=1)
    real = kept.reshape(*kept.shape, *(1,) * (values.ndim - 2))
    return values.masked_fill(~real, 0).sum(dim=1) / real.sum(dim=1)
