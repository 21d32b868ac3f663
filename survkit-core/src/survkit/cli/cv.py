"""``survkit cv``: how good a recipe is on a cohort."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from survkit.cli.cohort_warnings import print_warnings
from survkit.cli.explain_afterwards import explain_afterwards
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    BySite,
    CacheFolder,
    Changes,
    CohortFile,
    DataFolder,
    DifferentSubjects,
    FoldJobs,
    Folds,
    Freeze,
    InitFrom,
    InitParts,
    InitRevision,
    IntervalReplicates,
    OverwriteRun,
    Quiet,
    RecipeName,
    Repeats,
    Resume,
    Seed,
    SplitsFile,
    TableFile,
)
from survkit.cli.starts import print_starts, words_of

if TYPE_CHECKING:
    from survkit.data import Cohort, Splits
    from survkit.evaluation import Evaluation
    from survkit.recipe import Recipe


def command(
    recipe: RecipeName,
    cohort: CohortFile,
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    folds: Folds = 5,
    repeats: Repeats = 1,
    splits: SplitsFile = None,
    by_site: BySite = False,
    table: TableFile = None,
    data: DataFolder = None,
    changes: Changes = None,
    seed: Seed = None,
    jobs: FoldJobs = 1,
    replicates: IntervalReplicates = 1000,
    init_from: InitFrom = None,
    init_revision: InitRevision = None,
    init_parts: InitParts = None,
    freeze: Freeze = None,
    different_subjects: DifferentSubjects = False,
    cache: CacheFolder = None,
    overwrite: OverwriteRun = False,
    resume: Resume = False,
    no_explain: Annotated[
        bool,
        typer.Option(
            "--no-explain",
            help="No pictures of what a model that attends looked at in four subjects.",
        ),
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Cross-validate a recipe: train and predict fold by fold, evaluate, report.

    Everything is fitted on training subjects alone; where the recipe has a search, its values are
    chosen inside each training part. Finished folds survive an interruption (--resume).
    """
    from survkit.data import PreparationCache, Splits, default_cache_folder
    from survkit.errors import ConfigError
    from survkit.plugins import default_registry
    from survkit.recipe import Recipe
    from survkit.training import cross_validate

    registry = default_registry()
    plan = Recipe.read(recipe, registry=registry, overrides=changes or ())
    subjects = _read(cohort, table, data, plan)
    if by_site and splits is not None:
        raise ConfigError("give --splits or --by-site: a splits file already says who is where")
    given = _whole_sites(plan, subjects, folds, repeats, seed) if by_site else None
    if splits is not None:
        given = Splits.read(splits, subjects=subjects.subjects)
    prepared = PreparationCache(cache or default_cache_folder())
    result = cross_validate(
        plan,
        subjects,
        out,
        folds=folds,
        repeats=repeats,
        splits=given,
        seed=seed,
        jobs=jobs,
        replicates=replicates,
        overwrite=overwrite,
        resume=resume,
        progress=not quiet,
        init_from=init_from,
        init_revision=init_revision,
        init_parts=words_of(init_parts),
        freeze=words_of(freeze),
        different_subjects=different_subjects,
        cache=prepared,
        registry=None if jobs != 1 else registry,
    )
    print_starts(result.starts)
    if not no_explain:
        explain_afterwards(result, subjects, prepared, quiet=quiet)
    _print_choices(result.choices)
    _print_headline(result.evaluation, out / "report.html")


def _read(path: Path, table: Path | None, data: Path | None, recipe: Recipe) -> Cohort:
    """Read the cohort, and print who is left out and what is odd about it."""
    from survkit.data import Cohort

    cohort = Cohort.read(path, table=table, data_folder=data)
    print_left_out(cohort)
    print_warnings(cohort, recipe.modalities)
    return cohort


def _whole_sites(
    recipe: Recipe, cohort: Cohort, folds: int, repeats: int, seed: int | None
) -> Splits:
    """Divide the cohort so that no site is in a training and a test part."""
    from survkit.data import make_splits

    return make_splits(
        cohort,
        folds=folds,
        repeats=repeats,
        seed=recipe.training.seed if seed is None else seed,
        validation=recipe.training.validation,
        group_by_site=True,
    )


def _print_choices(choices: Mapping[str, Any]) -> None:
    """Print what was chosen in each fold, where there was something to choose."""
    for fold, choice in choices.items():
        chosen = ", ".join(f"{path}={value}" for path, value in choice["chosen"].items())
        print(f"{fold}: chose {chosen}")


def _print_headline(evaluation: Evaluation, page: Path) -> None:
    """Print the concordance of each cause and where the page is; `survkit evaluate` prints all."""
    from survkit.evaluation.metric_names import METRICS
    from survkit.metrics.estimate import Undefined

    for name, cause in evaluation.causes.items():
        for item in METRICS[:2]:
            pooled = cause.metrics[item.key].pooled
            if isinstance(pooled, Undefined):
                print(f"{name}: {item.label} is not defined, {pooled.reason}")
                continue
            interval = pooled.interval
            spread = "" if interval is None else f" ({interval.lower:.3f} to {interval.upper:.3f})"
            print(f"{name}: {item.label} {pooled.value:.3f}{spread}")
    print(page)
