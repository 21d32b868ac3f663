"""The commands and examples of docs/search.md, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs/search.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def run(command: list[str], folder: Path) -> str:
    """Run a command and return what it printed, after asserting that it succeeded."""
    cache = {"SURVKIT_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=300, env=os.environ | cache
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_page_holds(tmp_path: Path) -> None:
    """The recipe runs, every fold says what it chose, and the choices read as the page says."""
    (tmp_path / "recipe.yaml").write_text(block("yaml"), encoding="utf-8")
    lines = block("bash").splitlines()
    printed = [run([sys.executable, "-m", *shlex.split(line)], tmp_path) for line in lines]
    read = run([sys.executable, "-c", block("python")], tmp_path)

    assert printed[1].count("chose training.optimizer.weight_decay=") == 2
    assert read.count("{'training.optimizer.weight_decay': 1.0} 0.") == 2
    assert (tmp_path / "runs/model/choice.json").is_file()
    assert (tmp_path / "runs/model/model.safetensors").is_file()
