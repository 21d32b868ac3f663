"""The commands and examples of docs/reproduce.md, run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from survkit.cli import COMMANDS, main

PAGE = (Path(__file__).parents[2] / "docs/reproduce.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_page_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has the columns that the page describes, the tuned folds start from their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    for name, text in zip(("clinical", "table", "noisy"), blocks("yaml"), strict=True):
        Path(f"{name}.yaml").write_text(text, encoding="utf-8")
    printed = []
    for line in "".join(blocks("bash")).splitlines():
        name, *words = shlex.split(line)
        assert name == "survkit"
        assert main(words) == 0, line
        printed.append(capsys.readouterr().out)
    for block in blocks("python"):
        exec(compile(block, "docs/reproduce.md", "exec"), {})
    said = capsys.readouterr().out

    assert "encoders.clinical" in printed[1]
    assert re.search("ANOTHER COHORT: computed here on 'phantom.*published on 'LUNG1'", printed[2])
    assert "| linear | 0.579\\* |" in printed[2]
    assert "| wide | n/a | not run |" in printed[2]
    assert "fold-1: started from source:fold-1" in printed[4]
    assert "encoders.clinical frozen" in printed[4]
    assert "source:fold-1 ['encoders.clinical', 'head'] ['encoders.clinical'] {}" in said
    assert said.startswith("ANOTHER COHORT")
    assert "| row | published (on HN1) |" in printed[5]
    assert "| wide † | n/a | 0." in printed[5]
    assert "left out, as its model has no such input: ct:blur:high" in printed[5]
    assert "| linear | 50% | 0." in printed[5]
    assert Path("runs/noisy/figure-linear.svg").is_file()


def test_the_options_exist() -> None:
    """Options that the page speaks of are those of its commands."""
    from survkit.cli.app import load_command

    known = {
        option
        for name in COMMANDS
        if name in ("reproduce", "fit", "cv", "cost", "list", "phantom")
        for parameter in load_command(name).params
        for option in parameter.opts
    }
    named = set(re.findall(r"`(--[a-z-]+)", PAGE))

    assert named
    assert named <= known
