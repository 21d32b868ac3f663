"""What the models of a fold say of their test subjects, group by group changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from survkit.evaluation import Predictions
from survkit.hub.average_prediction import AveragePrediction
from survkit.hub.fitted_model import FittedModel, check_preparation
from survkit.hub.whole_float32 import whole_float32
from survkit.importance.chance import donors
from survkit.importance.feature_group import FeatureGroup, check_width
from survkit.importance.fold_model import FoldModel, Subjects
from survkit.importance.gradient import Asked, gradient_sizes
from survkit.prediction import SurvivalPrediction
from survkit.protocols import SurvivalHead
from survkit.stress.run_parts import as_table

Floats = NDArray[np.float64]
CLEAN = ("clean", "", 0)
Key = tuple[str, str, int]
"""What was done ("clean", "permuted", "ablated"), to which group, and for which time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldTask:
    """What is predicted.

    Attributes:
        fitted: The fold's models.
        table: What the run says about the fold's test subjects.
        subjects: Who they are, in the order of the table.
        groups: All groups.
        repeats: How often each is permuted.
        seed: Decides the permutations, with repeat, fold, group and number.
        cause: Whose risk the gradient is of; event code.
        reads_curves: Whether incidences are kept, not risk scores alone.
        device: Where the networks run.
        check: Refuses clean predictions that are not those of the run.
        advance: Told of every step, once however many networks are averaged.
    """

    fitted: FittedModel
    table: Predictions
    subjects: Subjects
    groups: Sequence[FeatureGroup]
    repeats: int
    seed: int
    cause: int
    reads_curves: bool
    device: str
    check: Callable[[Predictions], None]
    advance: Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a metric reads of a prediction.

    Attributes:
        risk: Risk scores; float64 (row, cause).
        incidence: Cumulative incidence; float64 (row, cause, grid), ``None`` where no metric asks.
    """

    risk: Floats
    incidence: Floats | None


@dataclass(slots=True)
class FoldScores:
    """What was said.

    Attributes:
        scores: By what was done, to which group, and for which time.
        gradient: |gradient x input| by group, mean over the networks; float64 (row).
        reasons: By what could not be done and to which group, why.
        moved: By group, of how many subjects features were exchanged.
    """

    scores: dict[Key, Scores] = field(default_factory=dict)
    gradient: dict[str, Floats] = field(default_factory=dict)
    reasons: dict[tuple[str, str], str] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)


WHOLE = (
    "it has no columns whose training mean could stand for it; survkit stress with the corruption "
    "missing-modality measures what is lost without the modality"
)
RAGGED = (
    "subjects differ in how many tokens they have, so that features of one cannot be put beside "
    "those of another"
)


def fold_scores(task: FoldTask) -> FoldScores:
    """Predict the fold's test subjects clean and with every group changed.

    Raises:
        DataError: The cohort does not fit the model, or a file is wrong.
        PluginError: An encoder named positions that it does not get.
    """
    check_preparation(task.fitted.description, task.subjects.cohort)
    outcome = FoldScores()
    models = [FoldModel(one, task.subjects, task.device) for one in task.fitted.members]
    task.check(_keep(task, outcome, CLEAN, _clean(models)))
    parameters: dict[Key, list[Tensor]] = {}
    sizes: dict[str, list[Tensor]] = {}
    for number, model in enumerate(models):
        with model.ready(), whole_float32():
            clean = model.clean()
            _check_groups(model, task.groups)
            for group in task.groups:
                _note(model, group, outcome)
                for key, found in _of_group(task, model, group, outcome, clean):
                    parameters.setdefault(key, []).append(found)
                task.advance(task.repeats if number == 0 else 0)
            asked = Asked(task.table.horizon, task.cause)
            gradients, reasons = gradient_sizes(model, task.groups, asked)
        model.forget()
        outcome.reasons |= {("gradient", key): reason for key, reason in reasons.items()}
        for name, size in gradients.items():
            sizes.setdefault(name, []).append(size)
    for key in [*parameters]:
        _keep(task, outcome, key, parameters.pop(key))
    outcome.gradient = {key: torch.stack(each).mean(dim=0).numpy() for key, each in sizes.items()}
    return outcome


def _clean(models: Sequence[FoldModel]) -> list[Tensor]:
    """Return the parameters of every network; of several, one alone is held in memory."""
    found = []
    for model in models:
        with model.ready(), whole_float32():
            found.append(model.clean())
        if len(models) > 1:
            model.forget()
    return found


def _keep(
    task: FoldTask, outcome: FoldScores, key: Key, parameters: Sequence[Tensor]
) -> Predictions:
    """Keep what a metric reads of the prediction of all networks, and return it as a table."""
    each = [
        cast(SurvivalHead, member.head).predict(part)
        for member, part in zip(task.fitted.members, parameters, strict=True)
    ]
    prediction: SurvivalPrediction = each[0] if len(each) == 1 else AveragePrediction(each)
    table = as_table(prediction, task.table, task.table.model)
    incidence: Any = table.cumulative_incidence
    outcome.scores[key] = Scores(table.risk_score, incidence if task.reads_curves else None)
    return table


def _check_groups(model: FoldModel, groups: Sequence[FeatureGroup]) -> None:
    for modality, encoder in model.encoders.items():
        own = [group for group in groups if group.modality == modality]
        check_width(own, model.width(modality), type(encoder).__name__)


def _note(model: FoldModel, group: FeatureGroup, outcome: FoldScores) -> None:
    """Say whose features can be exchanged, and why something cannot be done with the group."""
    modality, key = group.modality, group.key
    those = sum(model.present[modality])
    outcome.moved[key] = those if those > 1 else 0
    if not model.moves_whole(group) and model.has_other_numbers_of_tokens(modality):
        outcome.reasons["permuted", key] = RAGGED
    if group.positions is None:
        outcome.reasons["ablated", key] = WHOLE


def _of_group(
    task: FoldTask, model: FoldModel, group: FeatureGroup, outcome: FoldScores, clean: Tensor
) -> Iterator[tuple[Key, Tensor]]:
    """Yield the head's parameters with one group permuted, and ablated."""
    if ("permuted", group.key) not in outcome.reasons:
        for number in range(task.repeats):
            moved = outcome.moved[group.key] > 0
            found = _permuted(task, model, group, number) if moved else clean
            yield ("permuted", group.key, number), found
    if ("ablated", group.key) not in outcome.reasons:
        yield ("ablated", group.key, 0), model.ablated(group)


def _permuted(task: FoldTask, model: FoldModel, group: FeatureGroup, number: int) -> Tensor:
    """Return the parameters after one permutation among the test subjects."""
    table, present = task.table, model.present[group.modality]
    fold = f"{int(table.repeat[0])}|{int(table.fold[0])}"
    key = f"{task.seed}|{fold}|{group.key}|{number}"
    order = donors([str(name) for name in table.subject], present, key=key)
    return model.permuted(group, order)
