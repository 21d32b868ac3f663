"""The multi-task logistic regression head: a sequence of dependent regressions over intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.heads.discrete_prediction import predict_on_grid
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec


class MTLRHead(nn.Module):
    """Gives the logits of one softmax over cause x interval and "no event up to the horizon".

    One score per interval says how much more likely the event is to have happened by its end; the
    logit of an event in interval t is the sum of the scores from t on, and 0 for no event. Adjacent
    intervals therefore share all scores but one, which is what makes the curves smooth; weight
    decay on the output layer is the penalty on the scores of the publication (its second penalty,
    on differences of neighbouring scores, is left out). The parameters are a probability mass
    function, so that every loss for ``"pmf"`` trains this head; its likelihood is
    ``deephit-likelihood``.

    With competing causes there is one sequence of scores per cause. A fresh head says that half
    reach the horizon.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives causes and intervals.
        hidden: Widths of the hidden layers.
        dropout: Dropout rate after each hidden layer.

    Reference: Yu, Greiner, Lin and Baracos (2011), Learning patient-specific cancer survival
    distributions as a sequence of dependent regressors, NeurIPS 24, equations 3 to 5; several
    causes as in Kim, Kazmierski, Tsang et al. (2021), Deep-CR MTLR, arXiv 2012.05765.
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
        self.outcome = outcome
        self.causes, self.intervals = len(outcome.causes), outcome.intervals
        self.network, width = perceptron(in_dim, hidden, dropout=dropout)
        if hidden and dropout:
            self.network.append(nn.Dropout(dropout))
        self.output = nn.Linear(width, self.causes * self.intervals)
        nn.init.zeros_(self.output.bias)
        with torch.no_grad():  # every event logit then starts as the last score of its cause
            last = self.output.bias.view(self.causes, self.intervals)[:, -1]
            last.fill_(-log(self.causes * self.intervals))

    @property
    def parameterization(self) -> str:
        """Logits of a probability mass function."""
        return "pmf"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the logits (batch, cause * grid + 1) of embeddings (batch, dim)."""
        score = self.output(self.network(embedding)).view(-1, self.causes, self.intervals)
        logits = score.flip(2).cumsum(2).flip(2).flatten(1)
        return torch.cat([logits, logits.new_zeros(len(logits), 1)], dim=1)

    def predict(self, parameters: Tensor) -> GridPrediction:
        """Return the curves of logits (batch, cause * grid + 1)."""
        return predict_on_grid(parameters, self.parameterization, self.outcome)
