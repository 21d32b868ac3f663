"""Cross-validation: every subject is predicted by a model that never saw it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Unpack

from survkit.atomic_write import write_bytes
from survkit.data import Cohort, Fold, FoldRows, Splits, make_splits
from survkit.data.cohort_summary import write_cohort_summary
from survkit.data.split_units import refuse_parted_groups
from survkit.evaluation import Evaluation, Predictions, evaluate
from survkit.flow import SurvivalTarget
from survkit.recipe import Recipe
from survkit.training.candidates import with_seed
from survkit.training.fold_predictions import predict_fold
from survkit.training.preflight import check_run
from survkit.training.run_folder import RunFolder
from survkit.training.run_settings import RunOptions, RunSettings
from survkit.transfer import Start, plan_starts
from survkit.transfer.start import start_facts
from survkit.worker_processes import in_processes

FOLD_PREDICTIONS = "predictions.parquet"


@dataclass(frozen=True, slots=True)
class CrossValidation:
    """A finished cross-validation.

    Attributes:
        folder: The run folder.
        predictions: Out-of-fold predictions.
        evaluation: Metrics with intervals.
        choices: By fold, what ``recipe.search`` chose; empty where nothing was searched.
        starts: By fold, the trained weights it started from, as in ``training.json``; empty where
            none were given.
    """

    folder: Path
    predictions: Predictions
    evaluation: Evaluation
    choices: dict[str, Any]
    starts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a process needs to run one fold.

    Attributes:
        recipe: Of a network or of a baseline.
        cohort: Read with its outcome.
        splits: All folds.
        folder: Of the run.
        settings: How it is carried out.
        starts: What each fold starts from, in their order.
    """

    recipe: Recipe
    cohort: Cohort
    splits: Splits
    folder: Path
    settings: RunSettings
    starts: Sequence[Start | None]


def cross_validate(
    recipe: Recipe,
    cohort: Cohort,
    folder: str | Path,
    *,
    folds: int = 5,
    repeats: int = 1,
    splits: Splits | None = None,
    **options: Unpack[RunOptions],
) -> CrossValidation:
    """Train and predict fold by fold, evaluate, and write the run folder with its report.

    In every fold everything (levels, scalers, grid, weights, epoch, baseline, the values chosen
    from ``recipe.search``) comes from the training part of that fold alone. A recipe with a
    ``baseline`` runs a classical model in the same folds, which is fitted on training and
    validation subjects together and leaves no model behind.

    Args:
        recipe: What to train.
        cohort: Read with its outcome.
        folder: The run folder.
        folds: Number of test parts.
        repeats: How often the cohort is divided anew.
        splits: A given division instead.
        options: Fields of :class:`survkit.training.run_settings.RunSettings`: ``seed``, ``jobs``,
            ``replicates``, ``overwrite``, ``resume``, ``progress``, ``cache``, ``registry``,
            ``init_from``, ``init_revision``, ``init_parts``, ``freeze``, ``different_subjects``.

    Raises:
        RunError: The folder is in use, or training failed.
        ConfigError: Recipe and cohort do not fit.
        DataError: A test subject is among those that the given weights were trained on, or given
            splits part a group.
    """
    settings = RunSettings(**options)
    recipe = with_seed(recipe, settings.seed)
    cohort = cohort.with_twins(recipe.twins)
    run = RunFolder(folder, overwrite=settings.overwrite, resume=settings.resume)
    settings = settings.begun_from(run.work)
    if splits is None:
        splits = make_splits(
            cohort,
            folds=folds,
            repeats=repeats,
            seed=recipe.training.seed,
            validation=recipe.training.validation,
        )
    refuse_parted_groups(splits, cohort)
    starts = _starts(recipe, cohort, splits, settings)
    check_run(recipe, cohort, splits, settings.components(), starts[0])
    with run.attempt():
        run.start(recipe, run_facts(recipe, cohort, splits, settings))
        splits.write(run.work / "splits.json")
        write_bytes(run.work / "cohort.yaml", _cohort_text(cohort).encode())
        write_cohort_summary(cohort, splits, run.work)
        work = Work(
            recipe=recipe,
            cohort=cohort,
            splits=splits,
            folder=run.work,
            settings=settings,
            starts=starts,
        )
        return _conclude(run, work, _run_folds(work, settings.jobs))


def run_facts(
    recipe: Recipe, cohort: Cohort, splits: Splits, settings: RunSettings
) -> dict[str, Any]:
    """Return what ``run.json`` says beside the recipe; a run of other facts is another run."""
    facts: dict[str, Any] = {
        "cohort": cohort.fingerprint(),
        "left_out": list(cohort.left_out),
        "splits": splits.sha256,
        "command": "cv",
    }
    if cohort.group is not None:
        facts["groups"] = dict(zip(cohort.subjects, cohort.group, strict=True))
    if recipe.baseline is not None:
        from survkit.baselines import software

        facts["software"] = software(recipe, settings.components())
    return facts | start_facts(_starts(recipe, cohort, splits, settings), fold_names(splits))


def _starts(
    recipe: Recipe, cohort: Cohort, splits: Splits, settings: RunSettings
) -> tuple[Start | None, ...]:
    return plan_starts(settings.start(), recipe, cohort, splits, fold_names(splits))


def fold_names(splits: Splits) -> list[str]:
    """Return the folder names of the folds, in their order."""
    return [fold_folder(Path(), splits, fold).name for fold in splits.folds]


def fold_folder(run: Path, splits: Splits, fold: Fold) -> Path:
    """Return the folder of a fold: ``fold-2``, or ``fold-1-2`` where there are repeats."""
    repeated = any(one.repeat for one in splits.folds)
    return run / (f"fold-{fold.repeat}-{fold.fold}" if repeated else f"fold-{fold.fold}")


def _run_folds(work: Work, jobs: int) -> dict[str, Any]:
    """Run all folds, and return what was chosen in each."""
    folds = [(work, number) for number in range(len(work.splits.folds))]
    if jobs == 1:
        found = [_run_fold(*each) for each in folds]
    else:
        found = list(in_processes(_run_fold, folds, jobs=jobs, tasks=len(folds)))
    return {
        name: choice for name, choice in zip(fold_names(work.splits), found, strict=True) if choice
    }


def _run_fold(work: Work, number: int) -> dict[str, Any]:
    """Run one fold as the recipe asks, and return what was chosen in it."""
    fold = work.splits.folds[number]
    folder = fold_folder(work.folder, work.splits, fold)
    rows = work.splits.rows(fold, work.cohort.subjects)
    if work.recipe.baseline is None:
        return _run_network_fold(work, fold, rows, folder)
    from survkit.training.baseline_fold import run_baseline_fold

    return run_baseline_fold(work, fold, rows, folder, FOLD_PREDICTIONS)


def _run_network_fold(work: Work, fold: Fold, rows: FoldRows, folder: Path) -> dict[str, Any]:
    """Train one fold and write what it predicts for its test subjects, which it sees here first."""
    from survkit.training.fit_part import Part
    from survkit.training.search import fit_best

    settings = work.settings
    part = Part(
        recipe=work.recipe,
        cohort=work.cohort,
        train=rows.train.tolist(),
        validation=rows.validation.tolist(),
        seed=(work.recipe.training.seed, fold.repeat, fold.fold),
        splits_hash=work.splits.sha256,
        registry=settings.components(),
        cache=settings.cache,
        resume=settings.resume and folder.is_dir(),
        progress=settings.progress and settings.jobs == 1,
        start=work.starts[work.splits.folds.index(fold)],
    )
    result, choice = fit_best(part, folder)
    if not (part.resume and (folder / FOLD_PREDICTIONS).is_file()):
        table = predict_fold(result.fitted, part, fold, rows.test.tolist(), attention=folder)
        table.write(folder / FOLD_PREDICTIONS)
    return choice


def _conclude(run: RunFolder, work: Work, choices: dict[str, Any]) -> CrossValidation:
    """Join the folds' predictions, evaluate and report."""
    from survkit.evaluation.predictions import concatenate
    from survkit.evaluation.training_file import TRAINING_FILE, write_training
    from survkit.report import write_report

    splits = work.splits
    parts = [
        Predictions.read(fold_folder(run.work, splits, fold) / FOLD_PREDICTIONS)
        for fold in splits.folds
    ]
    predictions = concatenate(parts)
    predictions.write(run.work / "predictions.parquet")
    write_bytes(run.work / "choices.json", (json.dumps(choices, indent=1) + "\n").encode())
    training = _not_in_the_table(splits, work.cohort)
    if training:
        write_training(training, run.work / TRAINING_FILE)
    evaluation = evaluate(predictions, replicates=work.settings.replicates, training=training)
    evaluation.write(run.work / "metrics.json")
    write_report(run.work, evaluation=evaluation)
    starts = _said_starts(work)
    return CrossValidation(run.finish(), predictions, evaluation, choices, starts)


def _said_starts(work: Work) -> dict[str, Any]:
    """Return what each fold's training says that it started from."""
    if work.starts[0] is None:
        return {}
    names = fold_names(work.splits)
    return {
        name: json.loads((work.folder / name / "training.json").read_text(encoding="utf-8"))["init"]
        for name in names
    }


def _not_in_the_table(splits: Splits, cohort: Cohort) -> dict[int, SurvivalTarget]:
    """Return the training subjects, by repeat, of repeats with one test part.

    Where there are several, each part's training subjects are in the other parts, so that the
    predictions hold them. Subjects who entered late tell nothing about censoring by duration alone.
    """
    found: dict[int, SurvivalTarget] = {}
    if cohort.target([0]).entry is not None:
        return found
    for number in {fold.repeat for fold in splits.folds}:
        folds = [fold for fold in splits.folds if fold.repeat == number]
        if len(folds) == 1:
            rows = splits.rows(folds[0], cohort.subjects)
            found[number] = cohort.target([*rows.train.tolist(), *rows.validation.tolist()])
    return found


def _cohort_text(cohort: Cohort) -> str:
    import yaml

    content = cohort.config.model_dump(mode="json")
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
