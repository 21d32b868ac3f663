"""The piecewise constant hazard head: continuous time, one hazard per interval."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.errors import CompositionError
from survkit.heads.piecewise_prediction import PiecewisePrediction
from survkit.specs import OutcomeSpec


class PCHazardHead(nn.Module):
    """Gives, per interval, the value whose softplus is the hazard gained over it; one cause.

    Within an interval the hazard is constant, so the model speaks of exact times and not of the
    interval that holds them. A fresh head has the same hazard at every time, such that half reach
    the horizon.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives the intervals.
        hidden: Widths of the hidden layers.
        dropout: Dropout rate after each hidden layer.

    Raises:
        CompositionError: The outcome has competing causes.

    Reference: Kvamme and Borgan (2021), Continuous and discrete-time survival prediction with
    neural networks, Lifetime Data Analysis 27:710, section 3.2.
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
                "PCHazardHead models one cause, but the outcome has "
                f"{len(outcome.causes)} ({', '.join(outcome.causes)}); cause-hazard, deephit, mtlr "
                "and cox fit"
            )
        self.outcome = outcome
        self.network, width = perceptron(in_dim, hidden, dropout=dropout)
        if hidden and dropout:
            self.network.append(nn.Dropout(dropout))
        self.output = nn.Linear(width, outcome.intervals)
        edges = torch.tensor((0.0, *outcome.time_grid), dtype=torch.float64)
        gained = edges.diff() / outcome.horizon * torch.tensor(2.0, dtype=torch.float64).log()
        with torch.no_grad():
            self.output.bias.copy_(gained.expm1().log())  # the inverse of softplus

    @property
    def parameterization(self) -> str:
        """Values whose softplus is the hazard gained over each interval."""
        return "piecewise-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the parameters (batch, grid) of embeddings (batch, dim)."""
        parameters: Tensor = self.output(self.network(embedding))
        return parameters

    def predict(self, parameters: Tensor) -> PiecewisePrediction:
        """Return the curves of parameters (batch, grid), up to the horizon, in float64."""
        return PiecewisePrediction(
            time_grid=torch.tensor(
                self.outcome.time_grid, dtype=torch.float64, device=parameters.device
            ),
            gained=nn.functional.softplus(parameters.double()),
        )
