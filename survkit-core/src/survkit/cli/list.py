"""``survkit list``: what is installed, without importing any of it."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from survkit.component import KINDS, Component
from survkit.plugins import default_registry


def command(
    pattern: Annotated[
        str | None,
        typer.Argument(help="Only names that fit these wildcards, bare or full: '*hazard*'."),
    ] = None,
    kind: Annotated[
        str | None, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.", metavar="KIND")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """List the components and recipes that are installed."""
    components = list(default_registry().iterate(kind, pattern))
    if as_json:
        print(json.dumps([describe(component) for component in components], indent=2))
    elif components:
        _print_table(components)
    else:
        asked = f" named {pattern!r}" if pattern else ""
        print(f"no {kind or 'component'}{asked}; survkit list shows all", file=sys.stderr)


def describe(component: Component) -> dict[str, Any]:
    """Return the component as plain JSON values."""
    return {
        "kind": component.kind,
        "name": component.name,
        "full_name": component.full_name,
        "summary": component.summary,
        "target": component.target,
        "plugin": component.plugin,
        "distribution": component.distribution,
        "version": component.version,
    }


def _print_table(components: list[Component]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "summary", "distribution"):
        table.add_column(heading, overflow="fold")
    for each in components:
        table.add_row(each.kind, each.full_name, each.summary, each.distribution)
    Console(markup=False, highlight=False).print(table)
