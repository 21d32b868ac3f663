"""The Weibull head: a smooth parametric distribution of one cause."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.errors import CompositionError
from survkit.heads.weibull_prediction import WeibullPrediction
from survkit.specs import OutcomeSpec


class WeibullHead(nn.Module):
    """Gives log scale and log shape of ``S(t) = exp(-(t / scale)^shape)``; one cause.

    The scale is in the outcome's time unit. A fresh head says that half reach the horizon, at a
    constant hazard.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives the horizon.
        hidden: Widths of the hidden layers.
        dropout: Dropout rate after each hidden layer.

    Raises:
        CompositionError: The outcome has competing causes.
    """

    def __init__(
        self,
        in_dim: int,
        outcome: OutcomeSpec,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if len(outcome.causes) != 1:
            raise CompositionError(
                "WeibullHead models one cause, but the outcome has "
                f"{len(outcome.causes)} ({', '.join(outcome.causes)}); deephit, cause-hazard and "
                "cox fit"
            )
        self.horizon = outcome.horizon
        self.network, width = perceptron(in_dim, hidden, dropout=dropout)
        if hidden and dropout:
            self.network.append(nn.Dropout(dropout))
        self.output = nn.Linear(width, 2)
        with torch.no_grad():
            self.output.weight.mul_(0.1)  # the shape is an exponent of time: start near 1
            self.output.bias.copy_(torch.tensor([log(outcome.horizon / log(2)), 0.0]))

    @property
    def parameterization(self) -> str:
        """Log scale and log shape."""
        return "weibull"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return log scale and log shape (batch, 2) of embeddings (batch, dim)."""
        parameters: Tensor = self.output(self.network(embedding))
        return parameters

    def predict(self, parameters: Tensor) -> WeibullPrediction:
        """Return the distribution of parameters (batch, 2), up to the horizon, in float64."""
        return WeibullPrediction(
            log_scale=parameters[:, 0].double(),
            log_shape=parameters[:, 1].double(),
            last_time=self.horizon,
        )
