"""The DeepHit head: one probability mass over all intervals and causes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import Activation, check_dropout, perceptron
from survkit.heads.discrete_prediction import predict_on_grid
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec


class DeepHitHead(nn.Module):
    """Gives the logits of one softmax over cause x interval and "no event up to the horizon".

    A shared network, then one network per cause that sees the embedding beside the shared
    representation. Each cause has its own network, as in the publication (code in circulation uses
    one for all); with one cause that is a single chain. "No event" is an outcome of its own, so
    that subjects who reach the horizon teach the model something; a fresh head gives it one half.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives causes and intervals.
        shared: Widths of the shared layers.
        cause: Widths of the layers of each cause.
        dropout: Dropout rate between layers and before the output.
        activation: Between layers.
        residual: Give the embedding to the causes' networks too, beside the shared representation.

    Reference: Lee, Zame, Yoon, van der Schaar (2018), DeepHit, AAAI, figure 1; weights start as in
    Glorot and Bengio (2010).
    """

    def __init__(
        self,
        in_dim: int,
        outcome: OutcomeSpec,
        *,
        shared: Sequence[int] = (100,),
        cause: Sequence[int] = (100, 100),
        dropout: float = 0.0,
        activation: Activation = "relu",
        residual: bool = True,
    ) -> None:
        super().__init__()
        check_dropout(dropout)
        self.outcome = outcome
        self.residual = residual and bool(shared)
        self.shared, width = perceptron(in_dim, shared, dropout=dropout, activation=activation)
        width += in_dim if self.residual else 0
        causes = [
            perceptron(width, cause, dropout=dropout, activation=activation) for _ in outcome.causes
        ]
        self.cause = nn.ModuleList(network for network, _ in causes)
        self.dropout = nn.Dropout(dropout)
        last = causes[0][1]
        self.event = nn.ModuleList(nn.Linear(last, outcome.intervals) for _ in causes)
        self.no_event = nn.Linear(last * len(causes), 1)
        self._start()

    def _start(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
                nn.init.zeros_(module.bias)
        events = len(self.outcome.causes) * self.outcome.intervals
        nn.init.constant_(self.no_event.bias, log(events))

    @property
    def parameterization(self) -> str:
        """Logits of a probability mass function."""
        return "pmf"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits (batch, cause * grid + 1) of embeddings (batch, dim)."""
        shared = self.shared(embedding)
        if self.residual:
            shared = torch.cat([embedding, shared], dim=1)
        features = [self.dropout(network(shared)) for network in self.cause]
        events = [output(feature) for output, feature in zip(self.event, features, strict=True)]
        return torch.cat([*events, self.no_event(torch.cat(features, dim=1))], dim=1)

    def predict(self, parameters: Tensor) -> GridPrediction:
        """Return the curves of logits (batch, cause * grid + 1)."""
        return predict_on_grid(parameters, self.parameterization, self.outcome)
