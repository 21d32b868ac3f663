"""The commands and examples of docs/tournament.md, run as they stand: parts of three plugins."""

from __future__ import annotations

import csv
import json
import re
import shlex
from pathlib import Path

import pytest

from survkit.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "tournament.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("tournament-page")
    (folder / "tournament.yaml").write_text(block("yaml"), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        patch.setattr(  # pages of single runs are looked at elsewhere
            "survkit.report.write_report",
            lambda run, **_: (run / "report.html").write_text("a page"),
        )
        for line in block("bash").splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_the_commands_write_what_the_page_names(folder: Path) -> None:
    """Compositions of three plugins in one division, each file of the table, both examples."""
    place = folder / "runs/t"
    found = json.loads((place / "tournament.json").read_text())
    parts = {name: one["parts"] for name, one in found["compositions"].items()}

    assert list(parts) == ["concat", "soft-attention", "codes"]
    assert parts["soft-attention"]["fusion"] == "slicetention/soft-attention"
    assert parts["codes"]["encoders.ct"] == "robsurv/vq3d"
    hashes = {json.loads((place / n / "splits.json").read_text())["sha256"] for n in parts}
    assert hashes == {found["splits_hash"]}
    assert {one["budget"]["steps"] for one in found["compositions"].values()} == {2}
    named = re.findall(r"`([a-z]+\.(?:csv|json|svg|html))`", PAGE.partition("## Limits")[0])
    assert all((place / name).is_file() for name in named)
    with (place / "compositions.csv").open(newline="") as file:
        rows = {row["composition"]: row for row in csv.DictReader(file)}
    assert set(rows) == {*parts, "chosen"}


def test_the_example_in_python(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Prints the best, the groups and the choices."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(
        "survkit.report.write_report",
        lambda run, **_: (run / "report.html").write_text("a page"),
    )

    exec(compile(block("python"), "docs/tournament.md", "exec"), {})

    printed = capsys.readouterr().out
    assert re.match(r"(mean|gated) \[\['", printed)
    assert "'fold-1': {'chosen': '" in printed
