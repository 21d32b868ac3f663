"""How far the images of a training are read and prepared."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def reading_bar(
    *, shown: bool, console: Console | None = None
) -> Iterator[Callable[[int, int], None]]:
    """Give a function that is told how many images are read, and of how many.

    The bar appears with the first image and is gone with the last. It is drawn on standard error
    (or on ``console``), and only where that is a terminal.
    """
    console = console or Console(file=sys.stderr)
    columns = (
        TextColumn("reading images"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    hidden = not (shown and console.is_terminal)
    with Progress(*columns, console=console, transient=True, disable=hidden) as bar:
        task = bar.add_task("reading images", total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
