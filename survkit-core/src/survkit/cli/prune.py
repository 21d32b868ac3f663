"""``survkit prune``: what a model is worth, and costs, without the tokens that count little."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from survkit.cli.console import table_console
from survkit.cli.left_out import print_left_out
from survkit.cli.options import (
    CacheFolder,
    CauseName,
    CohortOfRun,
    DataFolder,
    Device,
    FinishedRun,
    Level,
    Metric,
    OverwriteResults,
    Replicates,
    TableFile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def command(
    run: FinishedRun,
    cohort: CohortOfRun,
    threshold: Annotated[
        str | None,
        typer.Option(
            help="Importance that a token needs to stay, in units of the uniform 1 / tokens; "
            "several separated by commas. 1 where --keep is not given either.",
        ),
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(help="Shares of the tokens to keep, the most important ones: 0.3,0.5."),
    ] = None,
    map: Annotated[
        Literal["population", "subject"],
        typer.Option(
            help="Whose importance decides: the mean over the fold's training subjects, or each "
            "subject's own."
        ),
    ] = "population",
    retrain: Annotated[
        bool,
        typer.Option("--retrain", help="Train every fold on with its kept tokens, too."),
    ] = False,
    modality: Annotated[
        str | None, typer.Option(help="Whose encoder, where several leave tokens out.")
    ] = None,
    metric: Metric = "harrell",
    cause: CauseName = None,
    replicates: Replicates = 1000,
    level: Level = 0.95,
    table: TableFile = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; prune in the run by default.")
    ] = None,
    device: Device = "cpu",
    cache: CacheFolder = None,
    overwrite: OverwriteResults = False,
) -> None:
    """Predict a run's test subjects again without the tokens that count little.

    Every fold's own model predicts the subjects it never saw, with all tokens and with fewer; which
    these are is learnt from the fold's training subjects. Tokens are dropped from the computation,
    so it says what is gained in time, too.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.cli.predict import check_device
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.pruning import prune_run

    check_device(device)
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    with progress_bar("pruning") as progress:
        found = prune_run(
            run,
            subjects,
            out=out,
            thresholds=_numbers("--threshold", threshold, "1,1.5"),
            keep=_numbers("--keep", keep, "0.3,0.5"),
            map=map,
            retrain=retrain,
            modality=modality,
            metric=metric,
            cause=cause,
            replicates=replicates,
            level=level,
            device=device,
            overwrite=overwrite,
            cache=PreparationCache(cache or default_cache_folder()),
            progress=progress,
        )
    _print(found.content)
    print(found.folder / "prune.json")


def _numbers(option: str, text: str | None, example: str) -> list[float]:
    from survkit.errors import ConfigError

    try:
        return [] if text is None else [float(part) for part in text.split(",")]
    except ValueError as error:
        raise ConfigError(
            f"{option} takes numbers separated by commas, such as {example}, not {text!r}"
        ) from error


def _print(content: Mapping[str, Any]) -> None:
    from rich.table import Table

    from survkit.pruning.write_prune import LABELS, lines_of, notes

    console = table_console()
    console.print(f"{content['cause']}: {content['metric_label']}, {content['model']}")
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, label in enumerate(LABELS):
        grid.add_column(label, overflow="fold", no_wrap=place not in (0, 2, 3))
    for line in lines_of(content):
        grid.add_row(*line)
    console.print(grid)
    for note in notes(content):
        console.print(note)
