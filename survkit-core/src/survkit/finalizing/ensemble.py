"""The ensemble of folds: what their models predict is averaged, nothing is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from survkit.errors import RunError
from survkit.finalizing.finished_run import FinishedRun
from survkit.hub import FittedEnsemble, FittedModel, load_model
from survkit.hub.ensemble_description import EnsembleDescription, difference
from survkit.hub.model_files import CONFIG_FILE

if TYPE_CHECKING:
    from survkit.registry import Registry

_SHARED = ("cohort", "monitor", "splits_sha256", "files")
"""Facts of a training that are told once; left out where folds differ."""
_LISTED = ("train_subjects", "validation_subjects", "train_part")
"""Facts that are told fold by fold, where every fold has them."""
_OF_MEMBERS = ("epochs", "best_epoch")
"""Lists over the networks of a fold, which are joined."""


def ensemble(run: FinishedRun, registry: Registry | None = None) -> FittedEnsemble:
    """Load the models of all folds as one.

    Raises:
        RunError: A fold's model is damaged or of another run, or the folds chose components that
            differ.
        UnknownComponentError: A component is not installed.
    """
    models = []
    for fold, folder in zip(run.splits.folds, run.folds, strict=True):
        model = load_model(folder, registry=registry)
        facts = model.description.training
        run.check_place(facts, fold, folder / CONFIG_FILE)
        models.append(model)
    _refuse_different(run, models)
    described = tuple(model.description for model in models)
    try:
        training = _training([one.training for one in described]) | {"final": run.said("ensemble")}
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{run.folder}: what {CONFIG_FILE} of a fold says of its training is damaged "
            f"({type(error).__name__}: {error})"
        ) from error
    return FittedEnsemble(tuple(models), EnsembleDescription(models=described, training=training))


def _refuse_different(run: FinishedRun, models: Sequence[FittedModel]) -> None:
    found = difference([model.description for model in models])
    if found is not None:
        what, number = found
        raise RunError(
            f"{run.folder}: {run.folds[0].name} and {run.folds[number].name} differ in {what}, so "
            "their models are not of one kind; make one with --by refit, or give one fold"
        )


def _training(folds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the trainings have in common, and their numbers one by one."""
    recipes = [one["recipe"] for one in folds]
    facts = {key: value for key, value in _agreed(folds).items() if key in _SHARED}
    for key in _LISTED:
        if all(key in one for one in folds):
            facts[key] = [one[key] for one in folds]
    facts |= {key: [value for one in folds for value in one[key]] for key in _OF_MEMBERS}
    if all("init" in one for one in folds):
        facts["init"] = _agreed([one["init"] for one in folds])
    return facts | {"seed": folds[0]["seed"][:1], "recipe": _agreed(recipes)}


def _agreed(several: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the keys that all have, with equal values."""
    return {
        key: value
        for key, value in several[0].items()
        if all(key in one and one[key] == value for one in several)
    }
