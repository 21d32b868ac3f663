"""The page about metrics: its example runs, and its table leaves no public metric out."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

from survkit import metrics

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
TOOLS = {"bootstrap_counts", "bootstrap_replicates", "jackknife_variance"}
"""Parts of the two kinds of interval, which the page describes as wholes."""


def rows() -> list[list[str]]:
    """Return the cells of the table of definitions."""
    table = PAGE.split("## Definitions and references")[1].split("## Intervals")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_the_example_runs() -> None:
    """It prints estimates, and intervals that agree to a hundredth."""
    (example,) = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    printed = done.stdout.splitlines()
    bounds = [[float(x) for x in re.findall(r"er=([\d.]+)", line)] for line in printed[1:3]]
    assert all(abs(one - other) < 0.01 for one, other in zip(*bounds, strict=True))
    assert "integrated Brier score" in printed[-1]


def test_every_public_function_has_its_row() -> None:
    """Functions of survkit.metrics are named in the table or in the text on intervals."""
    functions = {name for name in metrics.__all__ if inspect.isfunction(getattr(metrics, name))}

    assert {name for name in functions - TOOLS if f"`{name}`" not in PAGE and name not in PAGE} == (
        set()
    )


def test_every_row_names_a_reference_and_tests_that_exist() -> None:
    """Five cells each; the tests are files of this repository."""
    files = {path.stem for path in (ROOT / "tests" / "core").rglob("test_*.py")}

    assert len(rows()) == 17
    for row in rows():
        assert len(row) == 5, row
        assert set(row[4].split(", ")) <= files
        assert len(row[3]) > 10
