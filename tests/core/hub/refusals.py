"""How a hostile folder must be refused, and a way to bend a configuration."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from survkit.errors import UserError
from survkit.hub import from_pretrained

GIB = 1 << 30
SECONDS = 30.0
"""Within which everything is refused; a tenth of it would do on a machine that is not shared."""


def refused(folder: Path, error: type[UserError], said: str) -> None:
    """Assert one clear line, soon and without much memory."""
    before, start = peak(), time.monotonic()
    with pytest.raises(error, match=said) as caught:
        from_pretrained(folder)

    assert time.monotonic() - start < SECONDS
    assert peak() - before < GIB
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def peak() -> int:
    """Return the most memory that this process has had, in bytes."""
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale


def set_path(*keys: str, value: object) -> Callable[[dict[str, Any]], None]:
    """Return what sets one place of a configuration."""

    def change(config: dict[str, Any]) -> None:
        for key in keys[:-1]:
            config = config[key]
        config[keys[-1]] = value

    return change
