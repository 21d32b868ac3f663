"""``survkit importance``: on which groups of features a model's concordance hangs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

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
    OverwriteResults,
    Replicates,
    TableFile,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def command(
    run: FinishedRun,
    cohort: CohortOfRun,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="YAML of groups of columns, 'name: [column, ...]'; by default what the encoders "
            "name, else every column, vector or image by itself."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="How often each group is permuted anew.")
    ] = 50,
    seed: Annotated[int, typer.Option(min=0, help="Decides the permutations.")] = 0,
    metric: Annotated[str, typer.Option(help="harrell or antolini.")] = "harrell",
    cause: CauseName = None,
    replicates: Replicates = 1000,
    level: Level = 0.95,
    table: TableFile = None,
    data: DataFolder = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the results; importance in the run by default.")
    ] = None,
    device: Device = "cpu",
    jobs: Annotated[int, typer.Option(help="Processes, one fold each; -1 for one per core.")] = 1,
    cache: CacheFolder = None,
    overwrite: OverwriteResults = False,
) -> None:
    """Measure what a run's models lose when a group of features is permuted among test subjects.

    Every fold's own model predicts the subjects it never saw; nothing is trained. The run must
    reproduce its own predictions first.
    """
    from survkit.cli.cohort import progress_bar
    from survkit.cli.predict import check_device
    from survkit.data import Cohort, PreparationCache, default_cache_folder
    from survkit.importance import importance_run

    check_device(device)
    subjects = Cohort.read(cohort, table=table, data_folder=data)
    print_left_out(subjects)
    with progress_bar("importance") as progress:
        found = importance_run(
            run,
            subjects,
            out=out,
            groups=groups,
            repeats=repeats,
            seed=seed,
            metric=metric,
            cause=cause,
            replicates=replicates,
            level=level,
            device=device,
            jobs=jobs,
            overwrite=overwrite,
            cache=PreparationCache(cache or default_cache_folder()),
            progress=progress,
        )
    _print(found.content)
    print(found.folder / "importance.json")


def _print(content: Mapping[str, Any]) -> None:
    """Print a row per group, and what the numbers mean."""
    from rich.table import Table

    from survkit.report.importance_section import MEANING, SHARING
    from survkit.report.shown_result import shown_result

    console = table_console()
    label = f"{content['cause']}: {content['metric_label']}"
    console.print(f"{label} {shown_result(content['clean'], '{:.3f}')}")
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, name in enumerate(("group", "permuted", "SD", "ablated", "gradient")):
        grid.add_column(name, overflow="fold", no_wrap=place > 0)
    for entry in content["groups"]:
        deviation = entry["repeat_sd"]
        grid.add_row(
            entry["name"],
            shown_result(entry["importance"], "{:+.3f}"),
            "–" if deviation is None else f"{deviation:.3f}",
            shown_result(entry["ablation"], "{:+.3f}", interval=False),
            shown_result(entry["gradient"], "{:.0%}", interval=False),
        )
    console.print(grid)
    console.print(MEANING, SHARING)
    reasons = [
        f"{entry['name']}: {name} is not defined, {entry[name]['reason']}"
        for entry in content["groups"]
        for name in ("importance", "ablation", "gradient")
        if "reason" in entry[name]
    ]
    for reason in reasons:
        console.print(reason)
