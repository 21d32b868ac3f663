"""What a refused cohort says, and with which exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest

from survkit.cli import main


def messages(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    """Run ``survkit cohort check`` and return its exit code and every error."""
    code = main(["cohort", "check", *words, "--json"])
    out, err = capsys.readouterr()
    if not out:
        return code, [err.strip()]
    problems = [problem for problem in json.loads(out) if problem["severity"] == "error"]
    return code, [
        (f"row {problem['row']}: " if problem["row"] else "") + problem["message"]
        for problem in problems
    ]


def expect(capsys: pytest.CaptureFixture[str], small: Any, message: str) -> None:
    code, found = messages(capsys, str(small.write()))

    assert code == 2
    assert any(message in text for text in found), found
    assert all("\n" not in text for text in found)
