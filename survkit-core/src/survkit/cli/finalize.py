"""``survkit finalize``: the one model of a cross-validation."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.left_out import print_left_out
from survkit.cli.options import CacheFolder, DataFolder, FinishedRun, Quiet, TableFile

if TYPE_CHECKING:
    from survkit.data import Cohort
    from survkit.hub import Pretrained


class By(StrEnum):
    """How one model is made of the folds."""

    REFIT = "refit"
    ENSEMBLE = "ensemble"


def command(
    run: FinishedRun,
    by: Annotated[
        By,
        typer.Option(
            help="refit: train on all subjects, as many epochs as the folds chose in the mean; "
            "ensemble: average what the models of the folds predict."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The model folder to make.")],
    cohort: Annotated[
        Path | None, typer.Option(help="For a refit: the cohort file that the run was made from.")
    ] = None,
    table: TableFile = None,
    data: DataFolder = None,
    init_from: Annotated[
        str | None,
        typer.Option(help="For a refit: the model that the folds started from, where they did."),
    ] = None,
    cache: CacheFolder = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace such a model once the new one is complete."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted refit.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Make the one model of a cross-validation: a refit on everybody, or the ensemble of folds.

    The folder is a model like any other: `survkit predict`, `card` and `push` take it. Beside it
    lie the metrics of the run. They estimate the procedure; this very model was not tested.
    """
    from survkit.data import PreparationCache, default_cache_folder
    from survkit.finalizing import finalize

    fitted = finalize(
        run,
        out,
        by=by.value,
        cohort=_read(cohort, table, data),
        init_from=init_from,
        overwrite=overwrite,
        resume=resume,
        progress=not quiet,
        cache=PreparationCache(cache or default_cache_folder()),
    )
    _print(fitted)
    print(out)


def _read(cohort: Path | None, table: Path | None, data: Path | None) -> Cohort | None:
    from survkit.data import Cohort
    from survkit.errors import ConfigError

    if cohort is not None:
        subjects = Cohort.read(cohort, table=table, data_folder=data)
        print_left_out(subjects)
        return subjects
    for name, given in (("table", table), ("data", data)):
        if given is not None:
            raise ConfigError(f"--{name} is for the cohort of a refit; give --cohort too")
    return None


def _print(fitted: Pretrained) -> None:
    """Say what was made."""
    facts = fitted.description.training
    final = facts["final"]
    if final["by"] == "ensemble":
        print(f"mean of the models of {final['folds'] * final['repeats']} folds")
        return
    chosen = ", ".join(str(n) for counts in final["fold_epochs"].values() for n in counts)
    print(
        f"trained on {facts['train_subjects']} subjects for {facts['epochs'][0]} epochs (the folds "
        f"chose {chosen})"
    )
    for path, value in final.get("chosen", {}).items():
        print(f"{path}: {value}")
