"""The commands and examples of docs/slices.md, run as they stand."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from survkit.cli import main
from survkit.data.cohort_config import CohortConfig
from survkit.plugins import default_registry
from survkit.validation import validate

PAGE = (Path(__file__).parents[2] / "docs" / "slices.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_the_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The phantom cohort in HU, and a cross-validation with attention over the slices."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SURVKIT_CACHE", str(tmp_path / "cache"))
    make, fit = blocks("bash")[0].splitlines()

    assert main(shlex.split(make)[1:]) == 0
    assert main(shlex.split(fit)[1:]) == 0

    assert json.loads((tmp_path / "runs/slices/metrics.json").read_text(encoding="utf-8"))
    assert list((tmp_path / "runs/slices").rglob("attention.parquet"))


def test_the_cohort_file_is_valid() -> None:
    """The keys of the example are those of a cohort file."""
    validate(CohortConfig, yaml.safe_load(blocks("yaml")[0]), source="the page on slices")


def test_the_python_example_runs() -> None:
    """It prints how many slices there are."""
    done = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], capture_output=True, text=True, timeout=300
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r"\d+ slices, weights sum to 1\.0", done.stdout)


def test_the_table_is_what_is_installed() -> None:
    """Every encoder and fusion of the plugin has a row."""
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, flags=re.MULTILINE))
    parts = {
        each.name
        for kind in ("encoder", "fusion")
        for each in default_registry().iterate(kind)
        if each.plugin == "slicetention"
    }

    assert rows == parts
