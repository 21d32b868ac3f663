"""How long each composition took: measured, so it is kept apart from what can be computed again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from survkit.atomic_write import write_bytes

SECONDS_FILE = "seconds.json"


@contextmanager
def timed(place: Path, name: str, work: str, *, begun: bool) -> Iterator[None]:
    """Note how long the work took, unless a shorter time says that it was only looked up.

    Args:
        place: Folder of the tournament.
        name: Of the composition.
        work: What is timed.
        begun: Part of it was done before an interruption; the time is then a least one.
    """
    start = time.perf_counter()
    yield
    spent = round(time.perf_counter() - start, 2)
    found = read_seconds(place)
    own = found.setdefault(name, {})
    before = own.get(work)
    if before is None or before["seconds"] < spent:
        own[work] = {"seconds": spent, "at_least": begun}
        write_bytes(place / SECONDS_FILE, (json.dumps(found, indent=1) + "\n").encode())


def read_seconds(place: Path) -> dict[str, Any]:
    """Return what was measured so far, by composition and work; nothing where it cannot be read."""
    try:
        found: dict[str, Any] = json.loads((place / SECONDS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found
