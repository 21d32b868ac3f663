"""All folds predicted with all tokens and with fewer: what everything else is measured on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from survkit.evaluation import Predictions, concatenate
from survkit.pruning.choice import Choice
from survkit.pruning.importance import refuse_pruned
from survkit.pruning.predict_fold import FULL, FoldOutcome, FoldTask, predict_fold
from survkit.pruning.settings import PruneSettings
from survkit.stress.run_parts import FoldPart, RunParts, as_table, check_reproduced


@dataclass(slots=True)
class Predicted:
    """What all models said.

    Attributes:
        tables: By key: ``"full"``, as the run did, and those of the choices.
        seconds: By the same keys and ``"importance"``, per subject and prediction.
        shares: By key of a choice, the shares of tokens kept.
        importance: By fold, of each network; empty where each subject has a choice of its own.
        kept: By key of a choice and fold, the tokens of each network; empty likewise.
    """

    tables: dict[str, Predictions] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    shares: dict[str, list[float]] = field(default_factory=dict)
    importance: dict[str, list[Tensor]] = field(default_factory=dict)
    kept: dict[str, dict[str, list[Tensor]]] = field(default_factory=dict)


def predict_run(
    parts: RunParts, settings: PruneSettings, modality: str, advance: Callable[[int], None]
) -> Predicted:
    """Predict fold by fold, each by its own model.

    Raises:
        DataError: A fold's model does not predict what the run says, on this cohort.
        ConfigError: A fold's model leaves tokens out already.
    """
    tables: dict[str, list[Predictions]] = {}
    found = Predicted()
    for number, part in enumerate(parts.folds()):
        refuse_pruned(part.fitted, modality, part.name)
        outcome = predict_fold(fold_task(parts, number, part, settings, modality, advance))
        named = _tables(outcome, part, settings.choices)
        check_reproduced(named[FULL], part, parts.folder)
        for key, table in named.items():
            tables.setdefault(key, []).append(table)
        for key, seconds in outcome.seconds.items():
            found.seconds[key] = found.seconds.get(key, 0.0) + seconds
        for key, shares in outcome.shares.items():
            found.shares.setdefault(key, []).extend(shares)
        if outcome.importance:
            found.importance[part.name] = outcome.importance
        for key, kept in outcome.kept.items():
            found.kept.setdefault(key, {})[part.name] = kept
    found.tables = {key: concatenate(each) for key, each in tables.items()}
    subjects = len(parts.table)
    found.seconds = {key: seconds / subjects for key, seconds in found.seconds.items()}
    return found


def fold_task(
    parts: RunParts,
    number: int,
    part: FoldPart,
    settings: PruneSettings,
    modality: str,
    advance: Callable[[int], None],
) -> FoldTask:
    """Return what is predicted in a fold."""
    fold = parts.splits.folds[number]
    return FoldTask(
        fitted=part.fitted,
        cohort=parts.cohort,
        train=parts.splits.rows(fold, parts.cohort.subjects).train.tolist(),
        test=part.rows,
        modality=modality,
        choices=settings.choices,
        map=settings.map,
        micro_batch=parts.recipe.training.micro_batch,
        device=settings.device,
        cache=settings.cache,
        advance=advance,
    )


def steps(parts: RunParts, settings: PruneSettings, members: int) -> int:
    """Return how many subjects and passes of how many networks there are to do."""
    subjects, choices = len(parts.table), len(settings.choices)
    passes = subjects * (1 + choices)
    if settings.map == "population":
        passes += sum(len(fold.train) for fold in parts.splits.folds)
    if settings.retrain:  # a pass each of what was trained on and of the run, and the training
        return members * (passes + 2 * subjects * choices) + subjects * choices
    return members * passes


def _tables(
    outcome: FoldOutcome, part: FoldPart, choices: Sequence[Choice]
) -> Mapping[str, Predictions]:
    names = {FULL: part.table.model}
    names |= {each.key: f"{part.table.model} ({each.label})" for each in choices}
    return {
        key: as_table(prediction, part.table, names[key])
        for key, prediction in outcome.predictions.items()
    }
