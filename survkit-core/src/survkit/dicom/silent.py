"""pydicom's log is silent while files of patients are read: its messages show values of tags."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def silent_pydicom() -> Iterator[None]:
    """Switch the library's logger off, and back to what it was."""
    logger = logging.getLogger("pydicom")
    before, logger.disabled = logger.disabled, True
    try:
        yield
    finally:
        logger.disabled = before
