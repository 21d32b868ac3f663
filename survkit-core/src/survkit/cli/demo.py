"""``survkit demo``: the first thing to run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from survkit.cli.console import table_console

if TYPE_CHECKING:
    from survkit.demo import DemoResult, DemoSettings, Row


def command(
    out: Annotated[Path, typer.Option(help="Folder of the demo.", metavar="FOLDER")] = Path(
        "runs/demo"
    ),
    fast: Annotated[
        bool,
        typer.Option("--fast", help="A minute or less: fewer subjects, epochs and resamples."),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of cohort, splits and training.")] = 0,
    jobs: Annotated[
        int | None, typer.Option(help="Processes; default: one per core, 4 at most.")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the demo that is there.")
    ] = False,
) -> None:
    """Cross-validate a multimodal model on generated images of known truth.

    CT and PET volumes and clinical columns are generated, each with a part of the hazard. One model
    of all three and one of each alone are trained on the same folds, and set beside the oracle: the
    true hazard, which no model can beat but by chance.
    """
    from survkit.cli.progress_bars import progress_bars
    from survkit.demo import DemoSettings, run_demo

    start = time.monotonic()
    settings = DemoSettings.fast(seed=seed) if fast else DemoSettings(seed=seed)
    print(_introduction(settings))
    with progress_bars() as progress:
        result = run_demo(out, settings, overwrite=overwrite, jobs=jobs, progress=progress)
    _print_table(result)
    print(_verdict(result, fast=fast))
    print(_what_next(result, seconds=time.monotonic() - start))


def _introduction(settings: DemoSettings) -> str:
    size = f"{settings.size} × {settings.size} × {settings.size}"
    return (
        f"{settings.subjects:,} generated subjects with CT and PET ({size} voxels) and clinical "
        f"columns; {settings.folds}-fold cross-validation."
    )


def _print_table(result: DemoResult) -> None:
    from rich.table import Table

    from survkit.cli.estimate_cells import estimate_cells

    grid = Table(box=None, pad_edge=False, header_style="bold", title_justify="left")
    for heading in ("model", "concordance", "95 % interval", "best possible", "reached"):
        grid.add_column(heading, justify="left" if heading == "model" else "right", no_wrap=True)
    for row in result.rows:
        truth = row is result.oracle
        cells = [row.name, *estimate_cells(row.concordance), "", ""]
        if not truth:
            cells[3:] = [estimate_cells(row.best)[0], _share(row)]
        grid.add_row(*cells, style="bold" if row is result.fused else None)
    console = table_console()
    console.print()
    console.print(grid)
    console.print()


def _share(row: Row) -> str:
    return "" if row.share is None else f"{row.share:.0%}".replace("%", " %")


def _verdict(result: DemoResult, *, fast: bool) -> str:
    verdict = (
        f"The fused model went {_share(result.fused) or 'an undefined part'} of the way from "
        "chance (0.5) to the oracle, and "
        f"{'beats' if result.fusion_wins else 'does not beat'} every single modality."
    )
    return f"{verdict}\nThis was the fast demo; the full one comes nearer." if fast else verdict


def _what_next(result: DemoResult, *, seconds: float) -> str:
    run, cohort = result.folder / "fused", result.folder / "cohort" / "cohort.yaml"
    return (
        f"\nReport: {result.report}   ({seconds:.0f} s)\n\n"
        "Next:\n"
        f"  survkit evaluate {run}\n"
        f"  survkit finalize {run} --by ensemble --out runs/ensemble\n"
        f"  survkit predict runs/ensemble --cohort {cohort} --times 365,730\n"
        f"  survkit fit demo --cohort {cohort} --out runs/mine --set head=deephit \\\n"
        "      --set 'objective=[deephit-likelihood, deephit-ranking]'\n"
        "  survkit list"
    )
