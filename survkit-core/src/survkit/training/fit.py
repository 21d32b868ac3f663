"""Trains one model on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from survkit.data import Cohort, Fold, Splits, make_splits
from survkit.errors import ConfigError
from survkit.recipe import Recipe
from survkit.training.candidates import with_seed
from survkit.training.run_folder import RunFolder

if TYPE_CHECKING:
    from survkit.data import PreparationCache
    from survkit.hub import FittedModel
    from survkit.registry import Registry


def fit(
    recipe: Recipe,
    cohort: Cohort,
    folder: str | Path,
    *,
    seed: int | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: bool = True,
    cache: PreparationCache | None = None,
    registry: Registry | None = None,
) -> FittedModel:
    """Train on a whole cohort, and leave the model with its recipe, splits and log in a folder.

    A part of the cohort is set aside to choose the epoch, and between the values of
    ``recipe.search``. Nothing here is a measure of how good the model is: that is what
    :func:`survkit.cross_validate` is for.

    Args:
        recipe: What to train.
        cohort: Read with its outcome.
        folder: The run folder, which is also a model folder.
        seed: Instead of the recipe's.
        overwrite: Replace the run in the folder once the new one is complete.
        resume: Go on with an interrupted run; the result is that of the uninterrupted one.
        progress: Whether to show a progress bar.
        cache: Where prepared images are kept.
        registry: Where component names are looked up; the process-wide one by default.

    Raises:
        RunError: The folder is in use, or training failed.
        ConfigError: Recipe and cohort do not fit.
    """
    from survkit.training.candidates import fit_best
    from survkit.training.fit_part import Part

    recipe = with_seed(recipe, seed)
    if registry is None:
        from survkit.plugins import default_registry

        registry = default_registry()
    run = RunFolder(folder, overwrite=overwrite, resume=resume)
    splits = set_aside(cohort, recipe.training.validation, recipe.training.seed)
    facts = {"cohort": cohort.fingerprint(), "splits": splits.sha256, "command": "fit"}
    run.start(recipe, facts)
    splits.write(run.work / "splits.json")
    rows = splits.rows(splits.folds[0], cohort.subjects)
    part = Part(
        recipe=recipe,
        cohort=cohort,
        train=rows.train.tolist(),
        validation=rows.validation.tolist(),
        seed=(recipe.training.seed,),
        splits_hash=splits.sha256,
        registry=registry,
        cache=cache,
        resume=resume,
        progress=progress,
    )
    result, _ = fit_best(part, run.work)
    run.finish()
    return result.fitted


def set_aside(cohort: Cohort, share: float, seed: int) -> Splits:
    """Divide a cohort into training and validation, stratified, with nobody left to test.

    Raises:
        ConfigError: A cause has too few events to be in both parts.
    """
    if share == 0:
        fold = Fold(0, 0, cohort.subjects, (), ())
        return Splits(cohort.name, {"validation": 0.0, "seed": seed}, (fold,))
    codes = cohort.target(range(len(cohort))).event.numpy()
    fewest = min(int((codes == code).sum()) for code in range(1, len(cohort.causes) + 1))
    parts = min(max(2, round(1 / share)), fewest)
    if parts < 2:
        raise ConfigError(
            f"{cohort.source}: a cause has {fewest} events, too few for training and validation; "
            "set training.validation to 0"
        )
    made = make_splits(cohort, folds=parts, seed=seed, validation=0.0)
    first = made.folds[0]
    fold = Fold(0, 0, first.train, first.test, ())
    settings = {"validation": len(first.test) / len(cohort), "seed": seed}
    return Splits(cohort.name, settings, (fold,))
