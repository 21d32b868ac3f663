"""The total loss of a recipe: a weighted list of losses and of named per-subject penalties."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

from survkit.errors import DataError
from survkit.flow import ModelOutput, SurvivalTarget
from survkit.protocols import Loss


@dataclass(frozen=True, slots=True)
class Term:
    """One weighted loss."""

    name: str
    weight: float
    loss: Loss


@dataclass(frozen=True, slots=True)
class Objective:
    """What training minimises.

    Losses couple the subjects of a risk set, so they see the union of all micro-batches. Penalties
    are one number per subject; their gradient is known beforehand, so the engine may leave them out
    of its first pass. A subject without the modality has a penalty of zero and counts in the mean.
    """

    terms: tuple[Term, ...]
    penalty_weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def has_penalties(self) -> bool:
        """Whether any penalty has a weight."""
        return bool(self.penalty_weights)

    def loss_terms(self, output: ModelOutput, target: SurvivalTarget) -> dict[str, Tensor]:
        """Return each loss, weighted, by name; terms of one name, as of one loss with two settings,
        are summed.
        """
        values: dict[str, Tensor] = {}
        for term in self.terms:
            value = term.weight * term.loss(output, target)
            values[term.name] = values[term.name] + value if term.name in values else value
        return values

    def loss(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return the weighted sum of the losses."""
        values = list(self.loss_terms(output, target).values())
        total = values[0]
        for value in values[1:]:
            total = total + value
        return total

    def penalty(self, output: ModelOutput, subjects: int) -> Tensor:
        """Return these rows' share of the weighted mean penalties over a risk set of
        ``subjects``.
        """
        missing = [name for name in self.penalty_weights if name not in output.penalties]
        if missing:
            raise DataError(
                f"the objective weighs the penalty {missing[0]}, "
                f"but the model gave {sorted(output.penalties)}"
            )
        total = output.parameters.new_zeros(())
        for name, weight in self.penalty_weights.items():
            total = total + weight * output.penalties[name].sum() / subjects
        return total

    def total(self, output: ModelOutput, target: SurvivalTarget) -> Tensor:
        """Return losses plus mean penalties over one risk set held in one piece."""
        value = self.loss(output, target)
        if self.has_penalties:
            value = value + self.penalty(output, len(output.parameters))
        return value
