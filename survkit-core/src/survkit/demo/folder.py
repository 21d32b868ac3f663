"""The demo's folder: whole or not at all, and never in place of something else."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from survkit.errors import RunError

RESULT_FILE = "demo.json"
"""Also the mark by which a folder is known as a demo that may be overwritten."""


@contextmanager
def demo_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a hidden folder beside ``folder`` that takes its place at the end.

    Raises:
        RunError: Something else is there, or a demo and ``overwrite`` was not asked; or the place
            cannot be written.
    """
    occupied = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    if occupied and not (folder / RESULT_FILE).is_file():
        raise RunError(f"{folder}: is not a demo of survkit, so it is not overwritten; give --out")
    if occupied and not overwrite:
        raise RunError(
            f"{folder}: holds a demo already; give --overwrite to replace it, or another --out"
        )
    work = folder.with_name(f".{folder.name}.new")
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield work
        if folder.exists():
            shutil.rmtree(folder)
        work.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
