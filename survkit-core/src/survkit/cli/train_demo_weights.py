"""``survkit train-demo-weights``: weights to try survkit with, trained on phantoms."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from survkit.demonstration import DemonstrationResult


def command(
    out: Annotated[
        Path, typer.Option(help="Folder that gets a model folder per recipe.", metavar="FOLDER")
    ],
    recipes: Annotated[
        list[str] | None,
        typer.Argument(
            help="Recipes with a demonstration (survkit list --kind demonstration); all of them by "
            "default.",
            metavar="[RECIPE]...",
        ),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(help="Publish each as ORG/survkit-demo-NAME on the Hub.", metavar="ORG"),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Let everybody see them; private by default.")
    ] = False,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Seconds each, for tests: the weights have learnt nothing."),
    ] = False,
    seed: Annotated[
        int, typer.Option(min=0, help="Of phantoms and training; the same seed, the same weights.")
    ] = 0,
    jobs: Annotated[
        int | None,
        typer.Option(help="Processes that draw phantoms; default: one per core, 1 with --quick."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace demonstrations that are there.")
    ] = False,
) -> None:
    """Train the small recipes on phantoms, and label the weights as demonstration.

    Each recipe is trained on a phantom cohort and tested on a second one, of another seed, that
    nothing has seen; beside it stands the oracle, the true hazard. In the folder lies a model
    folder per recipe, ready for `survkit push`. The weights are for trying survkit, of no use for
    patients.
    """
    from survkit.cli.progress_bars import progress_bars
    from survkit.demonstration import DemonstrationPlan, train_demonstrations
    from survkit.hub.demonstration_label import NOTE

    start = time.monotonic()
    plan = DemonstrationPlan(
        recipes=tuple(recipes or ()),
        seed=seed,
        quick=quick,
        push=push,
        public=public,
        overwrite=overwrite,
        jobs=(1 if quick else -1) if jobs is None else jobs,
    )
    with progress_bars() as progress:
        results = train_demonstrations(out, plan, progress=progress)
    _print_table(results)
    for result in results:
        print(result.folder if result.origin is None else f"{result.folder}: {result.origin}")
    print(f"note: {NOTE}   ({time.monotonic() - start:.0f} s)")


def _print_table(results: Sequence[DemonstrationResult]) -> None:
    from rich.table import Table

    from survkit.cli.console import table_console
    from survkit.cli.estimate_cells import estimate_cells

    grid = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in ("recipe", "fresh", "events", "concordance", "95 % interval", "oracle"):
        grid.add_column(heading, justify="left" if heading == "recipe" else "right", no_wrap=True)
    for result in results:
        facts, (cause, *_) = result.evaluation.facts, result.evaluation.causes.values()
        counts = str(facts["subjects"]), str(cause.events_by_horizon)
        grid.add_row(
            result.name,
            *counts,
            *estimate_cells(result.concordance),
            estimate_cells(result.best)[0],
        )
    console = table_console()
    console.print(grid)
    console.print()
