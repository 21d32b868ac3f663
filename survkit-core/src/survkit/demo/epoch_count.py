"""How far trainings in other processes have come, read from their logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

SECONDS = 0.3


@contextmanager
def epochs_watched(runs: Mapping[str, Path], tell: Callable[[str, int], None]) -> Iterator[None]:
    """Call ``tell`` with the epochs trained in each run, now and then and at the end.

    Args:
        runs: Run folders by name; they need not exist yet.
        tell: Called from another thread.
    """
    finished = Event()

    def look() -> None:
        for name, folder in runs.items():
            tell(name, epochs_trained(folder))

    def keep_looking() -> None:
        while not finished.wait(SECONDS):
            look()

    watcher = Thread(target=keep_looking, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        finished.set()
        watcher.join()
    look()


def epochs_trained(run: Path) -> int:
    """Return the number of epochs in the logs of a run: of its folds, or of its one model."""
    return sum(
        max(0, len(log.read_text(encoding="utf-8").splitlines()) - 1)
        for pattern in ("log.csv", "fold-*/log.csv")
        for log in run.glob(pattern)
    )
