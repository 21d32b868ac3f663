"""The proportional-hazards head: one log relative hazard per cause, and a Breslow baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from survkit.encoders.perceptron import perceptron
from survkit.errors import ConfigError, DataError
from survkit.flow import SurvivalTarget
from survkit.heads.log_hazard_slope import log_hazard_slope
from survkit.nonparametric.breslow import breslow_cumulative_hazard
from survkit.prediction import GridPrediction
from survkit.specs import OutcomeSpec

Slope = Literal["as-trained", "refitted"]

_BASELINE = ("baseline_times", "baseline_hazard", "baseline_center", "known_until")


class CoxHead(nn.Module):
    """Gives the log relative cause-specific hazard of every cause; (batch, cause).

    Without hidden layers it is one linear map without intercept, so that its weights are log hazard
    ratios per unit of the embedding.

    The baseline of each cause is Breslow's, from the training subjects. With increments
    ``dH_k(t)`` of a subject's cumulative cause-specific hazards at the event times and
    ``dH = sum_k dH_k``, the prediction is ``S(t) = exp(-sum dH)`` and
    ``F_k(t) = sum S(t-) (1 - exp(-dH)) dH_k / dH``, the exact incidences where the hazards stay in
    proportion between two event times; therefore ``S + sum_k F_k = 1``.

    Nothing is said beyond the longest training duration. Strata only enter the loss: the baseline
    is pooled over them.

    Args:
        in_dim: Width of the embedding.
        outcome: Gives the number of causes.
        hidden: Widths of hidden layers before the linear output.
        dropout: Dropout rate after each hidden layer.
        slope: ``"refitted"`` multiplies the log hazards of each cause, in predictions, by their own
            coefficient in a Cox model of the training subjects
            (:func:`survkit.heads.log_hazard_slope.log_hazard_slope`; where it has none they stay as
            trained). A strong penalty, good for the order of subjects, draws all predictions
            towards the mean; this spreads them again and keeps the order.
    """

    baseline_times: Tensor
    baseline_hazard: Tensor
    baseline_center: Tensor
    known_until: Tensor
    slope: Tensor | None

    def __init__(
        self,
        in_dim: int,
        outcome: OutcomeSpec,
        *,
        hidden: Sequence[int] = (),
        dropout: float = 0.0,
        slope: Slope = "as-trained",
    ) -> None:
        super().__init__()
        if slope not in get_args(Slope):
            raise ConfigError(f"slope must be one of {get_args(Slope)}, not {slope!r}")
        self.causes = len(outcome.causes)
        self.network, width = perceptron(in_dim, hidden, dropout=dropout)
        if hidden and dropout:
            self.network.append(nn.Dropout(dropout))
        self.output = nn.Linear(width, self.causes, bias=False)
        # Sizes and float64 come with the data; float32 until then, for devices without float64.
        self.register_buffer("baseline_times", torch.empty(0))
        self.register_buffer("baseline_hazard", torch.empty(self.causes, 0))
        self.register_buffer("baseline_center", torch.zeros(self.causes))
        self.register_buffer("known_until", torch.full((), torch.nan))
        # Not among what is saved unless it was asked for, so that older models load.
        self.register_buffer("slope", torch.ones(self.causes) if slope == "refitted" else None)

    @property
    def parameterization(self) -> str:
        """Log relative cause-specific hazards."""
        return "log-hazard"

    def forward(self, embedding: Tensor) -> Tensor:
        """Return the log hazards (batch, cause) of embeddings (batch, dim)."""
        log_hazard: Tensor = self.output(self.network(embedding))
        return log_hazard

    @torch.no_grad()
    def fit_baseline(self, parameters: Tensor, target: SurvivalTarget) -> None:
        """Estimate the baseline hazard of every cause from all training subjects.

        Args:
            parameters: Their log hazards; (batch, cause).
            target: What was observed; entry and weights are honoured, strata pooled.

        Raises:
            DataError: A log hazard is not finite, or there are no subjects.
        """
        if len(parameters) == 0 or not bool(parameters.isfinite().all()):
            raise DataError(
                "a Cox baseline needs finite log hazards of at least one training subject, but "
                f"{int((~parameters.isfinite()).any(dim=1).sum())} of {len(parameters)} are not; "
                "lower the learning rate"
            )
        log_hazard = parameters.detach().double()
        if self.slope is not None:
            self.slope = _slopes(log_hazard, target)
            log_hazard = log_hazard * self.slope
        center = log_hazard.amax(dim=0)  # exp of what is left cannot overflow
        curves = [
            breslow_cumulative_hazard(
                log_hazard[:, cause] - center[cause],
                target.duration.double(),
                target.event == cause + 1,
                entry=target.entry,
                weight=target.weight,
            )
            for cause in range(self.causes)
        ]
        times = torch.unique(torch.cat([time for time, _ in curves]))
        increments = log_hazard.new_zeros(self.causes, len(times))
        for cause, (time, cumulative) in enumerate(curves):
            jumps = cumulative.diff(prepend=cumulative.new_zeros(1))
            increments[cause].index_add_(0, torch.searchsorted(times, time), jumps)
        self.baseline_times, self.baseline_hazard = times, increments
        self.baseline_center, self.known_until = center, target.duration.double().max()

    def predict(self, parameters: Tensor) -> GridPrediction:
        """Return the step curves of log hazards (batch, cause), in float64.

        Raises:
            DataError: The baseline was neither fitted nor loaded.
        """
        known_until = float(self.known_until)
        if known_until != known_until:
            raise DataError(
                "CoxHead knows no baseline hazard yet: call fit_baseline(parameters, target) "
                "with the training subjects, or load a trained model"
            )
        log_hazard = parameters.double()
        if self.slope is not None:
            log_hazard = log_hazard * self.slope
        log_increment = self.baseline_hazard.log() + (log_hazard - self.baseline_center)[:, :, None]
        log_any = log_increment.logsumexp(dim=1)
        hazard_after = log_any.exp().cumsum(dim=1)
        hazard_before = torch.cat([hazard_after.new_zeros(len(log_any), 1), hazard_after], dim=1)
        fall = (-hazard_before[:, :-1]).exp() * -torch.expm1(-log_any.exp())
        share = (log_increment - log_any[:, None]).nan_to_num(nan=0.0).exp()
        return GridPrediction(
            time_grid=self.baseline_times,
            incidence=(fall[:, None] * share).cumsum(dim=2),
            interpolation="step",
            log_hazard=log_hazard,
            known_until=known_until,
        )

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        """Take the baseline's size from what is loaded: it depends on the training subjects."""
        for name in _BASELINE:
            stored = state_dict.get(prefix + name)
            if stored is not None:
                buffer = getattr(self, name)
                setattr(self, name, torch.empty_like(stored, device=buffer.device))
        super()._load_from_state_dict(state_dict, prefix, *rest)


def _slopes(log_hazard: Tensor, target: SurvivalTarget) -> Tensor:
    """Return by what the log hazards (batch, cause) are multiplied; float64 (cause)."""
    found = [
        log_hazard_slope(
            log_hazard[:, cause],
            target.duration,
            target.event == cause + 1,
            entry=target.entry,
            weight=target.weight,
            strata=target.strata,
        )
        for cause in range(log_hazard.shape[1])
    ]
    return log_hazard.new_tensor([1.0 if value is None else value for value in found])
