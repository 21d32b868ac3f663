"""The listing of components, without the parser of the command line, which takes longer than it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from survkit.cli.console import table_console
from survkit.component import Component


def print_listing(pattern: str | None, kind: str | None, *, as_json: bool) -> None:
    """Print the components of a kind whose names fit the wildcards."""
    from survkit.plugins import default_registry

    components = [*default_registry().iterate(kind, pattern)]
    if as_json:
        print(json.dumps([describe(component) for component in components], indent=2))
    elif components:
        _print_table(components)
    else:
        asked = f" named {pattern!r}" if pattern else ""
        print(f"no {kind or 'component'}{asked}; survkit list shows all", file=sys.stderr)


def run_plainly(words: Sequence[str]) -> bool:
    """Run a command line that needs no help and no error message; say whether it was one.

    Importing typer would be a third of the time that ``survkit list`` takes. What is not understood
    here is left to it.
    """
    pattern, kind, as_json, rest = None, None, False, [*words]
    while rest:
        word = rest.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--kind" and rest and not rest[0].startswith("-"):
            kind = rest.pop(0)
        elif pattern is None and not word.startswith("-"):
            pattern = word
        else:
            return False
    print_listing(pattern, kind, as_json=as_json)
    return True


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
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "summary"):
        # a name is copied, so it stays whole
        table.add_column(heading, overflow="fold", no_wrap=heading != "summary")
    for each in components:
        table.add_row(each.kind, each.full_name, each.summary)
    console = table_console()
    console.print(table)
    for origin in dict.fromkeys(_origin(each) for each in components):
        console.print(origin)


def _origin(component: Component) -> str:
    """Say which distribution names like the component's come from."""
    prefix, slash, _ = component.full_name.rpartition("/")
    names = f"{prefix}/…" if slash else "names without a slash"
    return f"{names}: {component.distribution} {component.version}"
