"""A file is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from survkit.errors import DataError


def write_atomically(path: Path, write: Callable[[Path], object]) -> Path:
    """Let ``write`` fill a neighbour of ``path``, wait until it is on the disk, and rename it.

    A crash on the way leaves the old file.

    Raises:
        DataError: The folder is missing, not writable or full.
    """
    neighbour = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write(neighbour)
        with neighbour.open("rb") as file:
            os.fsync(file.fileno())
        neighbour.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # on a disk that is read-only nothing is there to be removed
            neighbour.unlink(missing_ok=True)
    return path


def write_bytes(path: Path, content: bytes) -> Path:
    """Write bytes as :func:`write_atomically` does."""
    return write_atomically(path, lambda neighbour: neighbour.write_bytes(content))
