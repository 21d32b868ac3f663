"""The files of a folder: nothing outside it, no loops, in one order."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

from survkit.errors import DataError

LINKED = "symbolic links (not followed: a linked file inside the folder is read at its own place)"
SPECIAL = "no ordinary files (pipes, devices)"


def walk(folder: Path) -> tuple[list[Path], Counter[str], list[Path]]:
    """Return the ordinary files below a folder, sorted; how many were ignored, and why.

    Returns:
        The files, the counts of ignored ones by reason, and the folders that cannot be listed.

    Raises:
        DataError: There is no such folder.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder; name the folder that holds the DICOM files")
    files: list[Path] = []
    ignored: Counter[str] = Counter()
    closed: list[Path] = []

    def note(error: OSError) -> None:
        closed.append(Path(str(error.filename)))

    for parent, folders, names in os.walk(folder, onerror=note):
        folders.sort()
        ignored[LINKED] += sum((Path(parent) / name).is_symlink() for name in folders)
        for name in sorted(names):
            path = Path(parent) / name
            if path.is_symlink():
                ignored[LINKED] += 1
            elif not path.is_file():
                ignored[SPECIAL] += 1
            else:
                files.append(path)
    return files, +ignored, closed
