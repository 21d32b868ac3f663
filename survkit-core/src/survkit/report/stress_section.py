"""How the model holds when its inputs are damaged, from ``stress/stress.json``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from survkit.report.page_files import PageFiles


def stress_section(content: Mapping[str, Any], files: PageFiles) -> Mapping[str, Any]:
    """Collect the curves of every corruption, and their table."""
    drawn = import_module("survkit.report.stress_figure")  # only where a run was stressed
    pictures = [
        files.picture(f"stress-{number}", one)
        for number, one in enumerate(drawn.stress_figures(content), start=1)
    ]
    return {"pictures": pictures, "table": files.table(drawn.stress_table(content))}
