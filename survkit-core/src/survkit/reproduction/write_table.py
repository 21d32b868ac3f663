"""``table.md``, ``table.csv`` and ``table.json``: for a reader, a script, a program."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes
from survkit.reproduction.table_csv import as_csv
from survkit.reproduction.table_markdown import as_markdown


def write_table(content: Mapping[str, Any], folder: Path) -> None:
    """Write the three files, each whole or not at all."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(folder / "table.json", text.encode())
    write_bytes(folder / "table.csv", as_csv(content).encode())
    write_bytes(folder / "table.md", as_markdown(content).encode())
