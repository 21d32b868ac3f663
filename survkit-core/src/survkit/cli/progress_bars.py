"""One progress bar per thing that is being done, for commands that do several."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a function that draws one bar per thing that is being done, on stderr; where that is no
    terminal, it writes a line when a thing is done.
    """
    if not sys.stderr.isatty():
        yield _say_when_done()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeElapsedColumn as Elapsed

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Elapsed())
    tasks: dict[str, Any] = {}
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total, start=False)
            if done:
                bars.start_task(tasks[what])
            bars.update(tasks[what], completed=done)

        yield tell


def _say_when_done() -> Callable[[str, int, int], None]:
    said: set[str] = set()

    def tell(what: str, done: int, total: int) -> None:
        if done >= total and what not in said:
            said.add(what)
            print(f"{what}: done", file=sys.stderr, flush=True)

    return tell
