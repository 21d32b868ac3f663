"""The path that a cohort file or a cell of its table names."""

from __future__ import annotations

import os
from pathlib import Path


def named_path(folder: Path, name: str) -> Path:
    """Return the path, a relative one taken from the folder, as one would write it.

    ``ingested`` and ``../scans/a.nii.gz`` are ``scans/a.nii.gz``, unless ``ingested`` is a link
    and the way up leads elsewhere.
    """
    path = folder / name
    if ".." not in path.parts:
        return path
    short = Path(os.path.normpath(path))
    return short if os.path.realpath(short) == os.path.realpath(path) else path
