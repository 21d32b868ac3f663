"""The commands and examples of docs/audit.md, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from survkit.auditing.rules import RULES
from survkit.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def python(code: str, folder: Path) -> str:
    """Run an example in a process of its own, and return what it printed."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, capture_output=True, text=True, timeout=300, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clean study is silent under every command; the column that crept in is found."""
    monkeypatch.chdir(tmp_path)
    python(blocks("python")[0], tmp_path)

    codes = [main(shlex.split(line)[1:]) for line in blocks("bash")[0].splitlines()]
    printed = " ".join(capsys.readouterr().out.split())
    told = python(blocks("python")[1], tmp_path)

    assert codes == [0, 0, 0, 0]
    assert printed.count("0 errors, 0 warnings, 0 notes") == 2
    assert told.startswith("outcome-columns | months knows the outcome | its rank correlation")


def test_the_page_lists_every_rule() -> None:
    """In the order in which they are asked, in the rule's own words."""
    listed = re.findall(r"^\| `([a-z-]+)` \| (.*?) \| (.*?) \|$", PAGE, flags=re.MULTILINE)

    assert listed == [(rule.name, rule.asks, rule.source) for rule in RULES]
