"""The discrete-time hazard head for competing causes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import Activation, check_dropout, perceptron
from survkit.heads.discrete_prediction import initial_log_odds, predict_on_grid
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec


class CauseHazardHead(nn.Module):
    """Gives, per interval, the logits of a softmax over "no event" and every cause.

    A shared network, then one network per cause on the embedding beside the shared representation.
    The logit of "no event" is 0, which costs no generality (a softmax knows differences only): with
    one cause the hazard is the sigmoid of its logit. A fresh head has the same small hazards
    everywhere, such that about half reach the horizon.

    On an embedding of 512, F, the defaults are the paper's network: shared 512 -> 256, then per
    cause [shared; F], 768 -> 128 -> intervals.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives causes and intervals.
        shared: Widths of the shared layers.
        cause: Widths of the layers of each cause.
        dropout: Dropout rate between layers and before the output.
        activation: Between layers.

    Reference: Farooq, Singh, Mishra, Chaudhury (2025), RobSurv, arXiv 2505.02529, hazard network.
    """

    def __init__(
        self,
        in_dim: int,
        outcome: OutcomeSpec,
        *,
        shared: Sequence[int] = (256,),
        cause: Sequence[int] = (128,),
        dropout: float = 0.0,
        activation: Activation = "relu",
    ) -> None:
        super().__init__()
        check_dropout(dropout)
        self.outcome = outcome
        self.residual = bool(shared)
        self.shared, width = perceptron(in_dim, shared, dropout=dropout, activation=activation)
        width += in_dim if self.residual else 0
        networks = []
        for _ in outcome.causes:
            network, last = perceptron(width, cause, dropout=dropout, activation=activation)
            output = nn.Linear(last, outcome.intervals)
            nn.init.constant_(output.bias, initial_log_odds(outcome))
            networks.append(network.append(nn.Dropout(dropout)).append(output))
        self.cause = nn.ModuleList(networks)

    @property
    def parameterization(self) -> str:
        """Logits of cause-specific conditional probabilities."""
        return "cause-interval-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits (batch, grid, cause + 1) of embeddings (batch, dim)."""
        shared = self.shared(embedding)
        if self.residual:
            shared = torch.cat([shared, embedding], dim=1)
        logits = [network(shared) for network in self.cause]
        return torch.stack([torch.zeros_like(logits[0]), *logits], dim=2)

    def predict(self, parameters: Tensor) -> GridPrediction:
        """Return the curves of logits (batch, grid, cause + 1)."""
        return predict_on_grid(parameters, self.parameterization, self.outcome)
