"""The folder of a pruning: the old one stays until the new one is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from survkit.errors import RunError

PRUNE_FILE = "prune.json"


class PruneFolder:
    """Where results are written: a hidden neighbour that takes their place at the end.

    Args:
        folder: Where the finished results will lie.
        overwrite: Replace what lies there.

    Raises:
        RunError: Something is there and is not to be replaced, or is no pruning.
    """

    def __init__(self, folder: Path, *, overwrite: bool) -> None:
        self.final = folder
        self.work = folder.with_name(f".{folder.name}.new")
        occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
        if occupied and not overwrite:
            raise RunError(
                f"{folder}: something is there already; give --overwrite to replace it once the "
                "new pruning is complete, or --out for another folder"
            )
        if occupied and not (folder / PRUNE_FILE).is_file():
            raise RunError(f"{folder}: is not a pruning of survkit, so it is not overwritten")

    @contextmanager
    def attempt(self) -> Iterator[Path]:
        """Give a folder to write into; put it in its place where nothing failed, else leave nothing
        of it behind.
        """
        shutil.rmtree(self.work, ignore_errors=True)
        try:
            self.work.mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{self.final}: cannot be written: {error.strerror}") from error
        try:
            yield self.work
            self._finish()
        finally:
            shutil.rmtree(self.work, ignore_errors=True)

    def _finish(self) -> None:
        old = self.final.with_name(f".{self.final.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.final.exists():
            self.final.replace(old)
        self.work.replace(self.final)
        shutil.rmtree(old, ignore_errors=True)
