"""A file is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from survkit.errors import DataError


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a neighbour of ``path`` and rename it; a crash on the way leaves the old
    file.

    Raises:
        DataError: The folder is missing, not writable or full.
    """
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(neighbour)
        neighbour.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        neighbour.unlink(missing_ok=True)
    return path
