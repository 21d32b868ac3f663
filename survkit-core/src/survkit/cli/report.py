"""``survkit report``: the page of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(help="A run folder, as `survkit cv` makes it.")],
    title: Annotated[str, typer.Option(help="Title of the page; the recipe's by default.")] = "",
    open_page: Annotated[bool, typer.Option("--open", help="Show it in the browser.")] = False,
) -> None:
    """Write the HTML report of a run: one file that needs no network."""
    from survkit.report.write_report import write_report

    path = write_report(run, title=title)
    print(path)
    if open_page:
        typer.launch(path.resolve().as_uri())
