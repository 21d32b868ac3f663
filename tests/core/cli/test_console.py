"""Tables that are piped are not wrapped: a row is one line."""

from __future__ import annotations

import sys

import pytest

from survkit.cli import main
from survkit.cli.console import table_console
from survkit.plugins import default_registry


def test_a_piped_table_has_a_line_per_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whole summaries, whatever their length; so grep finds them and awk counts columns."""
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(["list"]) == 0

    lines = {" ".join(line.split()) for line in capsys.readouterr().out.splitlines()}
    rows = [f"{each.kind} {each.full_name} {each.summary}" for each in default_registry().iterate()]
    assert max(map(len, rows)) > 80
    assert set(rows) <= lines


def test_a_terminal_and_columns_keep_their_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody looks, rows are folded to what is seen."""
    monkeypatch.setenv("COLUMNS", "72")
    assert table_console().width == 72
    monkeypatch.delenv("COLUMNS")
    assert table_console().width > 1000
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert table_console().width < 1000
