"""A place that cannot be written is one error, also where nothing can be removed from it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from survkit.atomic_write import write_bytes
from survkit.errors import DataError


def test_a_disk_that_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Removing what was never written fails there, too."""

    def refuse(self: Path, *_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(self))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)

    with pytest.raises(DataError, match="cannot be written: Read-only file system"):
        write_bytes(tmp_path / "file", b"content")
