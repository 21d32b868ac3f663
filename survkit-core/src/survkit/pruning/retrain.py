"""Training that goes on with the kept tokens alone, from the weights of the run, fold by fold.

The pruned models are written as a run of the same splits, from which a cross-validation starts as
from any other: every fold from its own model, so that no test subject was ever seen.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from torch import Tensor

from survkit.errors import ConfigError
from survkit.evaluation import Predictions
from survkit.hub import FittedModel, load_model
from survkit.hub.save import save_pretrained
from survkit.prunes_tokens import PrunesTokens
from survkit.pruning.choice import Choice
from survkit.pruning.predict_fold import FULL, predict_fold, without_choices
from survkit.pruning.predicted import fold_task
from survkit.pruning.settings import PruneSettings
from survkit.stress.run_parts import RunParts
from survkit.training import cross_validate
from survkit.training.cross_validate import fold_folder
from survkit.transfer.exposure import INITIAL_FILE


@dataclass(frozen=True, slots=True)
class Retrained:
    """A run that was trained on.

    Attributes:
        table: Its predictions of the test subjects.
        seconds: Per subject of its models.
        full: Per subject of the models with all tokens, measured beside them.
    """

    table: Predictions
    seconds: float
    full: float


def check_retrainable(parts: RunParts) -> None:
    """Refuse to train on what is searched anew in every fold.

    Raises:
        ConfigError: The recipe has a search.
    """
    if parts.recipe.search:
        raise ConfigError(
            f"{parts.folder / 'recipe.yaml'}: --retrain trains one recipe on, but this one has a "
            f"search of {', '.join(parts.recipe.search)}; make a run with the chosen values first"
        )


def retrain(
    parts: RunParts,
    choice: Choice,
    kept: Mapping[str, Sequence[Tensor]],
    folder: Path,
    settings: PruneSettings,
    modality: str,
) -> Predictions:
    """Train every fold on with its kept tokens, and leave the run in the folder.

    Args:
        parts: The run to go on from.
        choice: By which rule the tokens were kept.
        kept: By fold, the tokens of each network.
        folder: Of the new run.
        settings: How it is carried out.
        modality: Whose tokens are left out.
    """
    start = folder.parent / f"start-{choice.key}"
    try:
        for fold in parts.splits.folds:
            part = parts.fold(fold)
            _leave_out(part.fitted, kept[part.name], modality)
            save_pretrained(part.fitted, start / part.name)
            before = fold_folder(parts.folder, parts.splits, fold) / INITIAL_FILE
            if before.is_file():
                shutil.copy(before, start / part.name / INITIAL_FILE)
        parts.splits.write(start / "splits.json")
        done = cross_validate(
            parts.recipe,
            parts.cohort,
            folder,
            splits=parts.splits,
            init_from=start,
            replicates=settings.replicates,
            progress=False,
            cache=settings.cache,
            registry=parts.registry,
        )
    finally:
        shutil.rmtree(start, ignore_errors=True)
    return done.predictions


def measured(
    parts: RunParts,
    folder: Path,
    table: Predictions,
    settings: PruneSettings,
    modality: str,
    advance: Callable[[int], None],
) -> Retrained:
    """Return the retrained run with what its models take, beside those of the run, fold by fold."""
    seconds = {"before": 0.0, "after": 0.0}
    for number, fold in enumerate(parts.splits.folds):
        part = parts.fold(fold)
        task = fold_task(parts, number, part, settings, modality, advance)
        after = load_model(fold_folder(folder, parts.splits, fold), registry=parts.registry)
        for key, fitted in (("before", part.fitted), ("after", after)):
            seconds[key] += predict_fold(without_choices(task, fitted)).seconds[FULL]
    subjects = len(parts.table)
    return Retrained(table, seconds["after"] / subjects, seconds["before"] / subjects)


def _leave_out(fitted: FittedModel, kept: Sequence[Tensor], modality: str) -> None:
    for member, tokens in zip(fitted.members, kept, strict=True):
        cast(PrunesTokens, member.encoders[modality]).keep_tokens(tokens)
