"""A bar over compositions × folds: it counts the predictions and inner scores in the folders."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from survkit.tournaments.tournament_file import INNER
from survkit.training.cross_validate import FOLD_PREDICTIONS

_INTERVAL = 0.5
"""Seconds between two looks."""


@contextmanager
def track_bar(
    place: Path, names: Sequence[str], folds: Sequence[str], *, inner_folds: int, shown: bool
) -> Iterator[Callable[[str], None]]:
    """Yield a function to call with the name of each composition that starts.

    Folds may run in processes of their own, which cannot draw; what they have finished can be seen
    from outside. A score counts as the inner trainings that it took. Nothing is drawn where there
    is no terminal.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Remaining

    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Remaining())
    drawn = shown and console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=not drawn) as bar:
        task = bar.add_task(
            "tournament", total=len(names) * len(folds) * (1 + _trained(inner_folds))
        )
        ended = Event()

        def watch() -> None:
            while not ended.wait(_INTERVAL):
                bar.update(task, completed=trainings_done(place, names, folds, inner_folds))

        watcher = Thread(target=watch, daemon=True)
        if drawn:
            watcher.start()
        try:
            yield lambda name: bar.update(task, description=name)
        finally:
            ended.set()
            if drawn:
                watcher.join()


def trainings_done(
    place: Path, names: Sequence[str], folds: Sequence[str], inner_folds: int
) -> int:
    """Return how many trainings of all compositions are done: one per fold, and its inner ones."""
    predicted = sum(
        (place / name / fold / FOLD_PREDICTIONS).is_file() for name in names for fold in folds
    )
    scored = sum(
        (place / INNER / name / f"{fold}.json").is_file() for name in names for fold in folds
    )
    return predicted + _trained(inner_folds) * scored


def _trained(inner_folds: int) -> int:
    """Return how many trainings a score takes; on the validation part the outer model is scored."""
    return 0 if inner_folds == 1 else inner_folds
