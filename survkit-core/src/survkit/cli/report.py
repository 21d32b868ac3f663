"""``survkit report``: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    runs: Annotated[
        list[str],
        typer.Argument(
            help="A run folder, as `survkit cv` makes it; further runs of the same subjects are "
            "compared with it. NAME=RUN gives a run another name than that of its folder.",
            metavar="RUN...",
        ),
    ],
    title: Annotated[str, typer.Option(help="Title of the page; the recipe's by default.")] = "",
    out: Annotated[
        Path | None,
        typer.Option(help="The page; by default report.html in the (first) run folder."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the page that is at --out.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write the HTML report of a run: one file that needs no network.

    Its figures (SVG) and tables (CSV) lie beside it, in the folder of the same name. With several
    runs it also says whether one is better than another.
    """
    from rich.console import Console

    from survkit.cli.named_runs import named_runs
    from survkit.report.write_report import write_report

    (name, run), *others = named_runs(runs).items()
    console = Console(stderr=True)
    with console.status("writing the report …"):
        path = write_report(
            run, others=dict(others), name=name, title=title, out=out, overwrite=overwrite
        )
    if others and out is None:
        print(f"the comparison of {len(others) + 1} runs is in the page of {name}:")
    print(path)
    if open_page:
        typer.launch(path.resolve().as_uri())
