"""``survkit fit``: train one model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from survkit.cli.cohort_warnings import print_warnings
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    CacheFolder,
    Changes,
    CohortFile,
    DataFolder,
    Freeze,
    InitFrom,
    InitParts,
    InitRevision,
    OverwriteRun,
    Quiet,
    RecipeName,
    Resume,
    Seed,
    TableFile,
)
from survkit.cli.starts import print_starts, words_of


def command(
    recipe: RecipeName,
    cohort: CohortFile,
    out: Annotated[Path, typer.Option(help="Folder of the run; it becomes a model folder.")],
    table: TableFile = None,
    data: DataFolder = None,
    changes: Changes = None,
    seed: Seed = None,
    init_from: InitFrom = None,
    init_revision: InitRevision = None,
    init_parts: InitParts = None,
    freeze: Freeze = None,
    cache: CacheFolder = None,
    overwrite: OverwriteRun = False,
    resume: Resume = False,
    quiet: Quiet = False,
) -> None:
    """Train one model on a cohort and save it.

    A part of the cohort chooses the epoch; how good the model is, only `survkit cv` can say. An
    interrupted run that is resumed ends with the weights of the uninterrupted one.
    """
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.plugins import default_registry
    from survkit.recipe import Recipe
    from survkit.training import fit

    registry = default_registry()
    plan = Recipe.read(recipe, registry=registry, overrides=changes or ())
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    print_warnings(subjects, plan.modalities)
    fitted = fit(
        plan,
        subjects,
        out,
        seed=seed,
        overwrite=overwrite,
        resume=resume,
        progress=not quiet,
        init_from=init_from,
        init_revision=init_revision,
        init_parts=words_of(init_parts),
        freeze=words_of(freeze),
        cache=PreparationCache(cache or default_cache_folder()),
        registry=registry,
    )
    facts = fitted.description.training
    if "init" in facts:
        print_starts({"model": facts["init"]})
    print(f"trained on {facts['train_subjects']} subjects{_chosen(facts)}")
    print(f"gradient: {facts['gradient'][0]}")
    print(out)


def _chosen(facts: Mapping[str, Any]) -> str:
    """Say how many epochs were trained and, where a validation part chose, which was taken."""
    trained = ", ".join(str(epochs) for epochs in facts["epochs"])
    if facts["score"] is None:
        return f" for {trained} epochs"
    taken = ", ".join(str(epoch + 1) for epoch in facts["best_epoch"])
    score = f"validation {facts['monitor']} {facts['score']:.3f}"
    return f", epoch {taken} of {trained} was chosen, {score}"
