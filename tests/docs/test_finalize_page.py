"""The commands and the example of docs/finalize.md, run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from survkit.cli import main

PAGE = (Path(__file__).parents[2] / "docs/finalize.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def run(code: str, folder: Path) -> str:
    """Run Python in a process of its own and return what it printed."""
    settings = {"SURVKIT_CACHE": str(folder / "cache"), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=300,
        env=os.environ | settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_holds(tmp_path: Path) -> None:
    """Both ways make a model of images that predicts, has a card, and is what the page says."""
    lines = [shlex.split(line)[1:] for line in block("bash").splitlines()]
    commands = f"from survkit.cli import main\nprint([main(line) for line in {lines}])\n"
    printed = run(commands + block("python"), tmp_path)

    assert printed.endswith(f"{[0] * len(lines)}\ntorch.Size([60, 2])\n")
    assert "mean of the models of 2 folds\n" in printed
    assert re.search(r"^trained on 60 subjects for \d epochs \(the folds chose", printed, re.M)
    for name, by in (("ensemble", "ensemble"), ("refit", "refit"), ("elsewhere", "ensemble")):
        final = json.loads((tmp_path / name / "config.json").read_text())["training"]["final"]
        assert (final["by"], final["folds"], final["run"]) == (by, 2, "cv")
    assert len(pd.read_csv(tmp_path / "curves.csv")) == 60
    assert (tmp_path / "refit/README.md").is_file()


def test_the_options_of_the_command_are_those_of_the_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the page says of the command by name is an option of it."""
    assert main(["finalize", "--help"]) == 0
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out))

    for option in ("--by", "--out", "--cohort", "--init-from", "--resume", "--overwrite"):
        assert option in PAGE
        assert option in known
