"""How well a fitted model does on subjects of the training part that it was not fitted on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import torch

from survkit.compose import build_objective
from survkit.data import SubjectStore, store_for
from survkit.flow import ModelOutput, SurvivalTarget, concatenate
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.fitted_model import FittedModel
from survkit.model import SurvivalModel
from survkit.protocols import SurvivalHead
from survkit.training.learning import check_outputs
from survkit.training.micro_batches import MicroBatches
from survkit.training.staged_forward import widen
from survkit.training.validation_score import horizon_concordance, time_concordance

if TYPE_CHECKING:
    from survkit.training.fit_part import Part


@dataclass(frozen=True, slots=True)
class HeldOutScore:
    """The numbers by which candidates can be compared.

    Attributes:
        concordance: Harrell's at the horizon, of the members' mean prediction; mean over the causes
            for which it exists.
        loss: Of the objective, penalties included; mean over the members.
        antolini: Antolini's concordance up to the horizon, likewise; ``None`` where the recipe does
            not choose by it.
    """

    concordance: float
    loss: float
    antolini: float | None = None


def held_out_score(fitted: FittedModel, part: Part, rows: Sequence[int]) -> HeldOutScore:
    """Score a model on the left-out subjects of an inner fold.

    Raises:
        DivergedError: Outputs are not finite.
        DataError: No two of the subjects can be compared.
    """
    outcome, specs = fitted.description.outcome, fitted.description.inputs
    losses, predictions = [], []
    for member in fitted.members:
        objective = build_objective(part.recipe, member, outcome, part.registry)
        store = store_for(
            part.cohort, rows, specs, encoders=dict(member.encoders.items()), cache=part.cache
        )
        output, target = _outputs(
            member, store, rows, part.recipe.training.micro_batch, objective.has_penalties
        )
        check_outputs(output.parameters, "for subjects it was not trained on")
        losses.append(float(objective.total(output, target)))
        predictions.append(cast(SurvivalHead, member.head).predict(output.parameters))
    whole = predictions[0] if len(predictions) == 1 else AveragePrediction(predictions)
    chosen_by_time = part.recipe.training.monitor == "antolini"
    return HeldOutScore(
        concordance=horizon_concordance(whole, target, outcome),
        loss=sum(losses) / len(losses),
        antolini=time_concordance(whole, target, outcome) if chosen_by_time else None,
    )


@torch.no_grad()
def _outputs(
    model: SurvivalModel,
    store: SubjectStore,
    rows: Sequence[int],
    micro_batch: int,
    penalties: bool,
) -> tuple[ModelOutput, SurvivalTarget]:
    """Return the outputs of a model in eval mode and what was observed."""
    model.eval()
    first = next(model.parameters())
    parts = [rows[start : start + micro_batch] for start in range(0, len(rows), micro_batch)]
    batches = list(MicroBatches(store, parts, device=first.device, dtype=first.dtype))
    output = concatenate([widen(model(one.inputs, penalties=penalties)) for one in batches])
    return output, concatenate([one.target for one in batches])
