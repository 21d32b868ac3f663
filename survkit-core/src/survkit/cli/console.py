"""Where tables are printed: as wide as the terminal, and unwrapped where there is none."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

UNWRAPPED = 10_000
"""Columns of a pipe or a file: a row is one line, so that grep and awk find it whole."""


def table_console() -> Console:
    """Return the console of stdout, which leaves text as it is; COLUMNS sets its width."""
    from rich.console import Console

    console = Console(markup=False, highlight=False)
    if not sys.stdout.isatty() and "COLUMNS" not in os.environ:
        console.width = UNWRAPPED
    return console
