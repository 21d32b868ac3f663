"""The commands and examples of docs/importance.md, run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from survkit.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "importance.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("importance-page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        for line in blocks("bash")[0].splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_the_commands_write_what_the_page_names(folder: Path) -> None:
    """Scans as a whole and each column of the table, with all three numbers, and the section."""
    written = folder / "runs/cv/importance"
    groups = {
        entry["name"]: entry
        for entry in json.loads((written / "importance.json").read_text())["groups"]
    }

    assert {"ct", "pet"} < set(groups)
    assert {"clinical: age", "clinical: sex"} < set(groups)
    assert len(groups["ct"]["repeats"]) == 10
    assert groups["pet"]["moved"] < groups["ct"]["moved"] == 32
    assert "missing-modality" in groups["ct"]["ablation"]["reason"]
    assert "category" in groups["clinical: sex"]["gradient"]["reason"]
    assert {path.name for path in written.iterdir()} == {
        "importance.json",
        "importance.csv",
        "forest.svg",
    }
    page = (folder / "runs/cv/report.html").read_text(encoding="utf-8")
    assert 'id="importance"' in page


def test_the_python_example_runs(folder: Path) -> None:
    """It prints a line per group, the user's among them."""
    environment = os.environ | {"SURVKIT_CACHE": str(folder / "cache"), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], cwd=folder, capture_output=True, text=True,
        timeout=600, env=environment,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "clinical: patient" in done.stdout
    assert "clinical: sex" not in done.stdout


def test_the_groups_are_a_mapping_of_columns() -> None:
    """The example of a groups file is what the command reads."""
    groups = yaml.safe_load(blocks("yaml")[0])

    assert all(isinstance(columns, list) for columns in groups.values())
