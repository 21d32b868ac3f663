"""The commands and files of docs/demo-weights.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from survkit.cli import main
from survkit.demonstration import Demonstration, DemonstrationPlan
from survkit.hub.demonstration_label import LABEL

PAGE = (Path(__file__).parents[2] / "docs" / "demo-weights.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def test_the_commands_do_what_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A curve per subject, after one line that says what the weights are worth."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))

    assert [main(shlex.split(line)[1:]) for line in block("bash").splitlines()] == [0, 0, 0, 0]
    assert len((tmp_path / "curves.csv").read_text().splitlines()) == 21
    assert [record.name for record in caplog.records if record.name.startswith("survkit")] == [
        "survkit.hub"
    ]
    config = json.loads((tmp_path / "demo-weights/demo/config.json").read_text())
    shown = json.loads(block("json"))[LABEL]
    assert set(config["training"][LABEL]) == set(shown)
    plan = DemonstrationPlan(seed=shown["seed"])
    assert shown["command"] == plan.command("demo")


def test_the_file_of_the_page_is_a_demonstration() -> None:
    """It follows the schema."""
    found = Demonstration.parse(yaml.safe_load(block("yaml")), source="the page")

    assert found.size(quick=True).changes == ["training.epochs=1"]
