"""``survkit new-plugin``: a distribution that works, to be made into a paper."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str,
        typer.Argument(help="Such as my-paper: installed as survkit-my-paper.", metavar="NAME"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write; it must not exist. Default: survkit-NAME.", metavar="FOLDER"
        ),
    ] = None,
) -> None:
    """Write a plugin that installs, trains and passes its tests, to be made into a paper.

    It registers an encoder, a fusion, a head, a loss and a recipe of them; each has a test that
    subclasses the conformance kit. Replace them one by one.
    """
    from survkit.plugins import find_plugins
    from survkit.scaffold import check_plugin_name, write_plugin

    checked = check_plugin_name(name, [found.plugin for found in find_plugins()])
    folder = Path(checked.distribution) if out is None else out
    written = write_plugin(checked, folder)
    print(f"{folder}: {len(written)} files\n")
    print("Next:")
    print(f"  cd {folder}")
    print('  python -m pip install -e ".[test]"')
    print("  python -m pytest")
    print(f"  survkit list '{checked.plugin}/*'")
