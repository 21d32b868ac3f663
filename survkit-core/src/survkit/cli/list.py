"""``survkit list``: what is installed, without importing any of it."""

from __future__ import annotations

from typing import Annotated

import typer

from survkit.cli.listing import print_listing
from survkit.cli.options import AsJson
from survkit.component import KINDS


def command(
    pattern: Annotated[
        str | None,
        typer.Argument(help="Only names that fit these wildcards, bare or full: '*hazard*'."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.", metavar="KIND")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the components and recipes that are installed."""
    print_listing(pattern, kind, as_json=as_json)
