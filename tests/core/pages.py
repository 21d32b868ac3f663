"""Runs whose pages nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def without_figures() -> Iterator[None]:
    """Draw no figures: nobody here looks at the pages, and they take most of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "survkit.report.write_report",
            lambda run, **_: (run / "report.html").write_text("a page"),
        )
        yield
