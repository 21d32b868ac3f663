"""A folder of results is whole or not there: what it replaces stays until it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from survkit.errors import RunError


def is_occupied(folder: Path) -> bool:
    """Say whether anything but an empty folder is there."""
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def check_replaceable(
    folder: Path, *, mark: str, written: Sequence[str], kind: str, overwrite: bool
) -> None:
    """Refuse a place that is taken: by something else, by results that are not to be replaced, or
    by results beside which somebody put something of their own.

    Args:
        folder: Where results are to lie.
        mark: File by which a folder of such results is known.
        written: Names of all that such a folder holds, the mark included, as patterns.
        kind: What they are, in words.
        overwrite: Whether older ones may be replaced.

    Raises:
        RunError: The place is taken.
    """
    if not is_occupied(folder):
        return
    if not (folder / mark).is_file():
        raise RunError(
            f"{folder}: holds no {kind} of survkit, so it is not overwritten; choose another folder"
        )
    if not overwrite:
        raise RunError(
            f"{folder}: something is there already; give --overwrite to replace it once the new "
            "results are complete, or --out for another folder"
        )
    refuse_foreign(folder, written, kind=kind)


def refuse_foreign(folder: Path, written: Sequence[str], *, kind: str) -> None:
    """Refuse to replace what was not written with the results: it would be lost.

    Args:
        folder: It holds results.
        written: Names of all that such a folder holds, as patterns.
        kind: What the results are, in words.

    Raises:
        RunError: Something else is there too.
    """
    names = sorted(each.name for each in folder.iterdir())
    foreign = [name for name in names if not any(fnmatchcase(name, one) for one in written)]
    if foreign:
        raise RunError(
            f"{folder}: '{foreign[0]}' is no part of the {kind} there and would be lost; move it "
            "away, or choose another folder"
        )


def neighbour_of(folder: Path) -> Path:
    """Return the hidden folder in which results are written."""
    return folder.absolute().with_name(f".{folder.absolute().name}.new")


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a hidden neighbour to write into, which takes the folder's place at the end; where
    something fails, nothing of it is left and the folder stays as it was.

    Raises:
        RunError: The place cannot be written.
    """
    work = neighbour_of(folder)
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
    try:
        yield work
        put_in_place(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def put_in_place(work: Path, folder: Path) -> None:
    """Let a complete folder take the place of an older one, which stays until then."""
    old = folder.absolute().with_name(f".{folder.absolute().name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
    work.replace(folder)
    shutil.rmtree(old, ignore_errors=True)
