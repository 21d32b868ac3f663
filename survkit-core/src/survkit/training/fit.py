"""Trains one model on a cohort."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from survkit.data import Cohort, Fold, Splits
from survkit.data.cohort_summary import write_cohort_summary
from survkit.data.make_splits import carve_validation
from survkit.errors import ConfigError
from survkit.recipe import Recipe
from survkit.training.candidates import with_seed
from survkit.training.preflight import check_run
from survkit.training.run_folder import RunFolder
from survkit.training.run_settings import RunOptions, RunSettings
from survkit.transfer import plan_starts
from survkit.transfer.start import start_facts

if TYPE_CHECKING:
    from survkit.hub import FittedModel


def fit(
    recipe: Recipe,
    cohort: Cohort,
    folder: str | Path,
    **options: Unpack[RunOptions],
) -> FittedModel:
    """Train on a whole cohort, and leave the model with its recipe, splits and log in a folder.

    A part of the cohort is set aside to choose the epoch, and between the values of
    ``recipe.search``. Nothing here is a measure of how good the model is: that is what
    :func:`survkit.cross_validate` is for.

    Args:
        recipe: What to train.
        cohort: Read with its outcome.
        folder: The run folder, which is also a model folder.
        options: Fields of :class:`survkit.training.run_settings.RunSettings`: ``seed``,
            ``overwrite``, ``resume``, ``progress``, ``cache``, ``registry``,
            ``init_from``, ``init_revision``, ``init_parts``, ``freeze``.

    Raises:
        RunError: The folder is in use, or training failed.
        ConfigError: Recipe and cohort do not fit.
    """
    from survkit.training.fit_part import Part
    from survkit.training.search import fit_best

    settings = RunSettings(**options)
    _refuse_baseline(recipe)
    recipe = with_seed(recipe, settings.seed)
    cohort = cohort.with_twins(recipe.twins)
    run = RunFolder(folder, overwrite=settings.overwrite, resume=settings.resume)
    settings = settings.begun_from(run.work)
    splits = set_aside(cohort, recipe.training.validation, recipe.training.seed)
    (start,) = plan_starts(settings.start(), recipe, cohort, splits, ["model"])
    check_run(recipe, cohort, splits, settings.components(), start)
    with run.attempt():
        run.start(recipe, _facts(cohort, splits) | start_facts([start], ["model"]))
        splits.write(run.work / "splits.json")
        write_cohort_summary(cohort, splits, run.work)
        rows = splits.rows(splits.folds[0], cohort.subjects)
        part = Part(
            recipe=recipe,
            cohort=cohort,
            train=rows.train.tolist(),
            validation=rows.validation.tolist(),
            seed=(recipe.training.seed,),
            splits_hash=splits.sha256,
            registry=settings.components(),
            cache=settings.cache,
            resume=settings.resume,
            progress=settings.progress,
            start=start,
        )
        result, _ = fit_best(part, run.work)
        run.finish()
    return result.fitted


def _facts(cohort: Cohort, splits: Splits) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "cohort": cohort.fingerprint(),
        "left_out": list(cohort.left_out),
        "splits": splits.sha256,
        "command": "fit",
    }
    if cohort.group is not None:
        facts["groups"] = dict(zip(cohort.subjects, cohort.group, strict=True))
    return facts


def _refuse_baseline(recipe: Recipe) -> None:
    if recipe.baseline is not None:
        raise ConfigError(
            f"the baseline '{recipe.baseline.use}' is fitted anew in every fold and never stored, "
            "so there is no model to keep: run survkit cv"
        )


def set_aside(cohort: Cohort, share: float, seed: int) -> Splits:
    """Divide a cohort into training and validation, stratified, with nobody left to test.

    Raises:
        DataError: A part would hold no event.
    """
    train, validation = cohort.subjects, tuple[str, ...]()
    if share > 0:
        train, validation = carve_validation(cohort, share, seed)
    fold = Fold(0, 0, train, validation, ())
    return Splits(cohort.name, {"validation": share, "seed": seed}, (fold,))
