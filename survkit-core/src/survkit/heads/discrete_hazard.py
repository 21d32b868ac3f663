"""The discrete-time hazard head for one cause (logistic hazard)."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.errors import CompositionError
from survkit.heads.discrete_prediction import initial_log_odds, predict_on_grid
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec


class DiscreteHazardHead(nn.Module):
    """Gives the logit of the conditional probability of the event in each interval; one cause.

    A fresh head has the same small hazard everywhere, such that about half reach the horizon.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives the intervals.
        hidden: Widths of the hidden layers.
        dropout: Dropout rate after each hidden layer.

    Raises:
        CompositionError: The outcome has competing causes.

    Reference: Gensheimer and Narasimhan (2019), A scalable discrete-time survival model for neural
    networks, PeerJ 7:e6257.
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
                "DiscreteHazardHead models one cause, but the outcome has "
                f"{len(outcome.causes)} ({', '.join(outcome.causes)}); cause-hazard fits"
            )
        self.outcome = outcome
        self.network, width = perceptron(in_dim, hidden, dropout=dropout)
        if hidden and dropout:
            self.network.append(nn.Dropout(dropout))
        self.output = nn.Linear(width, outcome.intervals)
        nn.init.constant_(self.output.bias, initial_log_odds(outcome))

    @property
    def parameterization(self) -> str:
        """Logits of conditional probabilities."""
        return "interval-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits (batch, grid) of embeddings (batch, dim)."""
        logits: Tensor = self.output(self.network(embedding))
        return logits

    def predict(self, parameters: Tensor) -> GridPrediction:
        """Return the curves of logits (batch, grid)."""
        return predict_on_grid(parameters, self.parameterization, self.outcome)
