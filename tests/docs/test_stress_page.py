"""The commands and examples of docs/stress.md, run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from survkit.cli import main
from survkit.plugins import default_registry

PAGE = (Path(__file__).parents[2] / "docs" / "stress.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the page's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the page's commands were run, in one process."""
    folder = tmp_path_factory.mktemp("stress-page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("SURVKIT_CACHE", str(folder / "cache"))
        for line in blocks("bash")[0].splitlines():
            assert main(shlex.split(line)[1:]) == 0, line
    return folder


def test_the_commands_write_what_the_page_names(folder: Path) -> None:
    """All results of a corruption, and the files beside them."""
    stress = folder / "runs/cv/stress"
    content = json.loads((stress / "stress.json").read_text())
    entry = content["corruptions"][0]

    assert [each["name"] for each in content["corruptions"]] == [
        "gaussian-noise",
        "poisson-noise",
        "missing-modality",
        "gaussian-noise + poisson-noise",
    ]
    assert content["corruptions"][3]["modality"] == "ct + pet"
    named = ("clean", "noisy", "difference", "degradation", "log_rank_p", "seeds")
    assert set(named) < set(entry["fractions"][0])
    assert {"robustness_area", "kept"} < set(entry)
    assert len(content["subsets"]) == 7
    assert {path.name for path in stress.iterdir()} == {
        "stress.json",
        "stress.csv",
        "predictions",
        "examples",
    }


def test_the_python_examples_run(folder: Path) -> None:
    """The first prints a loss per corruption, the second passes its conformance test."""
    for block, expected in zip(blocks("python"), ("ct: blur (fwhm=4.0", ""), strict=True):
        environment = os.environ | {"SURVKIT_CACHE": str(folder / "cache"), "MPLBACKEND": "Agg"}
        done = subprocess.run(
            [sys.executable, "-c", block], cwd=folder, capture_output=True, text=True,
            timeout=600, env=environment,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout


def test_the_table_is_what_is_installed() -> None:
    """Every corruption of the core has a row, with its kinds and the values of its levels."""
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|(.*)$", PAGE, flags=re.MULTILINE))
    installed = {
        each.name: each.load()
        for each in default_registry().iterate("corruption")
        if each.full_name == each.name
    }

    assert set(rows) == set(installed)
    for name, corruption in installed.items():
        kinds, severity, _ = (cell.strip() for cell in rows[name].strip(" |").split("|"))
        assert kinds == ("all" if len(corruption.kinds) == 4 else ", ".join(corruption.kinds))
        if corruption.levels:
            levels = [corruption.levels[level] for level in ("low", "medium", "high")]
            setting = next(iter(levels[0]))
            values = " / ".join(f"{level[setting]:g}" for level in levels)
            assert f"`{setting}`" in severity
            assert values in severity, name
