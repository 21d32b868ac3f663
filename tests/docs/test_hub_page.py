"""The commands and the example of docs/hub.md, run as they stand against a Hub on this machine."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tests.hub_server.server import running
from tests.hub_server.small_model import COHORT, contents, save_small_model

PAGE = (Path(__file__).parents[2] / "docs/hub.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    """Return the page's only code block of a language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)
    return str(found)


def run(code: str, folder: Path, settings: dict[str, str]) -> str:
    """Run Python in a process of its own and return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder, capture_output=True, text=True, timeout=300, env=os.environ | settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model where a run would be, and two patients."""
    save_small_model(tmp_path / "runs/first", training={"train_subjects": 8})
    (tmp_path / "patients.csv").write_text("id,a,b,c\np1,0.5,1,2\np2,1,0,-1\n")
    (tmp_path / "cohort.yaml").write_text(COHORT)
    return tmp_path


def test_the_page_holds(folder: Path) -> None:
    """As a user runs it: the Hub's address and the token come from the environment alone."""
    lines = [shlex.split(line)[1:] for line in block("bash").splitlines()]
    commands = f"from survkit.cli import main\nprint([main(line) for line in {lines}])"
    with running() as server:
        settings = {
            "HF_ENDPOINT": server.url, "HF_HOME": str(folder / "hf"), "HF_TOKEN": "hf_good",
            "HF_HUB_DISABLE_XET": "1", "SURVKIT_CACHE": str(folder / "cache"),
        }  # fmt: skip
        printed = run(commands, folder, settings)
        example = run(block("python"), folder, settings)
        (commit,) = server.hub.repositories["org/lung-risk"].branches.values()

    assert printed.endswith("[0, 0, 0, 0]\n")
    assert f"org/lung-risk {commit}\n" in printed
    assert (folder / "predicted.csv").read_text() in printed
    assert example == f"org/lung-risk at {commit[:12]}\n8 subjects\n"
    assert contents(folder / "runs/first").items() < contents(folder / "carried").items()
    offline = run(block("python"), folder, settings | {"HF_HUB_OFFLINE": "1"})
    assert offline == example
