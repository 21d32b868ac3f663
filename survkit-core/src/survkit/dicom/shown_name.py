"""How files are named in messages: so that they can be found, without an original identifier."""

from __future__ import annotations

import re
from pathlib import Path

UID = re.compile(r"\d+(?:\.\d+){4,}")
"""Many archives name folders and files by their UIDs."""


def shown_name(path: Path, folder: Path | None = None) -> str:
    """Return a file's name, or its path inside a folder, with every UID cut to its last digits."""
    inside = folder is not None and path.is_relative_to(folder)
    text = path.relative_to(folder).as_posix() if folder is not None and inside else path.name
    printable = "".join(each if each.isprintable() else "?" for each in text)
    return UID.sub(lambda found: "…" + found.group().replace(".", "")[-6:], printable)
