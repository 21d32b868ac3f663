"""The folder of an experiment: whole or not at all, and never in place of something else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from survkit.errors import RunError

EXPERIMENT_FILE = "experiment.json"
"""What was run; also the mark by which a folder is known as one that may be overwritten."""


@contextmanager
def experiment_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a hidden folder beside ``folder`` that takes its place at the end.

    Raises:
        RunError: Something else is there, or an experiment and ``overwrite`` was not asked; or the
            place cannot be written.
    """
    occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if occupied and not (folder / EXPERIMENT_FILE).is_file():
        raise RunError(f"{folder}: is no experiment of survkit, so it is not overwritten")
    if occupied and not overwrite:
        raise RunError(
            f"{folder}: holds an experiment already; give --overwrite to replace it once the new "
            "one is complete, or another --out"
        )
    work = folder.with_name(f".{folder.name}.new")
    old = folder.with_name(f".{folder.name}.old")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield work
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.replace(old)
        work.replace(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)
