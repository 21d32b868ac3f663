"""docs/getting-started.md, as it stands: its tables, its files, its commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/getting-started.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_page_holds(tmp_path: Path) -> None:
    """Every command ends with 0; there is a curve per patient, a report, a comparison."""
    for block in blocks("yaml"):
        name = block.partition("\n")[0].removeprefix("# ")
        (tmp_path / name).write_text(block, encoding="utf-8")
    lines = [shlex.split(line)[1:] for block in blocks("bash") for line in block.splitlines()]
    (table,) = blocks("python")
    code = f"{table}\nfrom survkit.cli import main\nprint([main(line) for line in {lines}])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=600,
        env=os.environ | {"SURVKIT_CACHE": str(tmp_path / "cache"), "MPLBACKEND": "Agg"},
    )  # fmt: skip
    curves = (tmp_path / "curves.csv").read_text().splitlines()

    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(f"{[0] * len(lines)}\n"), done.stdout + done.stderr
    assert len(lines) == 10
    assert len(curves) == 81
    assert "survival@730" in curves[0]
    assert (tmp_path / "both.html").stat().st_size > 10_000
    assert (tmp_path / "runs/cox/report.html").exists()
    assert (tmp_path / "runs/cox/audit.json").exists()
