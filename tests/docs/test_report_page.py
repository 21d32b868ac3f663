"""The commands and the example of docs/report.md, run as they stand."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from survkit.cli import main

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_and_the_example_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They leave the pages, figures and tables that the text promises."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    for line in blocks("bash")[0].splitlines():
        program, *arguments = shlex.split(line)
        assert program == "survkit"
        quiet = ["--quiet"] if arguments[0] == "cv" else []
        assert main([*arguments, *quiet]) == 0, line
    capsys.readouterr()
    exec(compile(blocks("python")[0], "docs/report.md", "exec"), {})

    assert capsys.readouterr().out.strip() == "both.html"
    report = (tmp_path / "runs/gated/report.html").read_text(encoding="utf-8")
    assert "<title>CT, PET and clinical columns</title>" in report
    for anchor in ("cohort", "attention", "learning", "protocol", "checklist"):
        assert f'id="{anchor}"' in report
    assert 'id="comparison"' not in report
    assert 'id="comparison"' in (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert (tmp_path / "comparison/tables/matrix.csv").exists()
    assert (tmp_path / "runs/gated/report/figures/flow.svg").exists()


def test_every_section_of_the_text_is_one_of_the_page() -> None:
    """The table of sections speaks of files that the report reads."""
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "survkit-core/src/survkit/report").glob("*.py")
    )
    named = set(re.findall(r"`((?:stress/)?[a-z]+\.(?:json|yaml))`", PAGE))

    assert {"cohort.json", "audit.json", "stress/stress.json", "choices.json"} <= named
    assert [name for name in named if name not in sources] == []
