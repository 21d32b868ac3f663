"""The commands and examples of the documentation, run as they stand."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from survkit.data.cohort_config import CohortConfig
from survkit.recipe import Recipe
from survkit.validation import validate

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """Return the README's code blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


def run(command: list[str], folder: Path) -> str:
    """Run a command and return what it printed, after asserting that it succeeded."""
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "SURVKIT_CACHE": str(folder / "cache"),
        "MPLBACKEND": "Agg",
    }
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=600, env=environment
    )
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the README's first commands were run."""
    folder = tmp_path_factory.mktemp("readme")
    for line in blocks("bash")[0].splitlines():
        assert line.startswith("survkit ")
        run([sys.executable, "-m", *shlex.split(line)], folder)
    return folder


def test_the_commands_give_what_the_text_says(folder: Path) -> None:
    """A report, out-of-fold predictions of everybody, and a curve per subject."""
    curves = (folder / "curves.csv").read_text().splitlines()

    assert (folder / "runs/cv/report.html").stat().st_size > 10_000
    assert (folder / "runs/cv/predictions.parquet").exists()
    assert len(curves) == 61
    assert "survival@365" in curves[0]


def test_the_python_example_runs(folder: Path) -> None:
    """It prints an estimate with its interval and three survival curves between 0 and 1."""
    printed = run([sys.executable, "-c", blocks("python")[0]], folder)

    assert "Estimate(value=0." in printed
    assert "tensor([[0." in printed


def test_the_listing_commands_run(folder: Path) -> None:
    """Listing shows the losses, and the doctor finds nothing broken."""
    printed = [
        run([sys.executable, "-m", *shlex.split(line)], folder)
        for line in blocks("bash")[1].splitlines()
    ]

    assert "deephit-ranking" in printed[1]


def test_the_yaml_examples_are_valid() -> None:
    """The cohort file and the recipe of the README follow their schemas."""
    cohort, recipe = (yaml.safe_load(block) for block in blocks("yaml"))
    config = validate(CohortConfig, cohort, source="README.md")
    recipe["training"]["optimizer"]["lr"] = float(recipe["training"]["optimizer"]["lr"])

    assert [config.modality(name).kind for name in config.modalities] == [
        "volume",
        "table",
        "table",
        "vector",
    ]
    assert Recipe.parse(recipe, source="README.md").training.risk_set == 64


def test_the_two_commands_are_sessions() -> None:
    """Both README commands call a nox session that exists."""
    wanted = re.findall(r"python -m nox -s (\w+)", README)
    listed = (ROOT / "noxfile.py").read_text(encoding="utf-8")

    assert {"demo", "tests", "benchmarks"} <= set(wanted)
    assert all(f"def {name}(" in listed for name in wanted)


def test_every_link_leads_somewhere() -> None:
    """Relative links of the README and its pictures exist."""
    links = re.findall(r"\]\(([^)#:]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
