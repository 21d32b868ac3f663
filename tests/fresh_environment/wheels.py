"""Wheels of distributions, built as pip builds them, from what is on this machine alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import PathDistribution
from importlib.util import find_spec
from pathlib import Path
from typing import cast

ROOT = Path(__file__).resolve().parents[2]
OURS = ("survkit-core", "survkit-radvit", "survkit-robsurv", "survkit-slicetention")


def build_wheels(projects: Iterable[Path], folder: Path) -> None:
    """Put a wheel of each project into the folder, where pip finds it by its name.

    The projects' build backend must be here: nothing is fetched.
    """
    assert find_spec("hatchling"), (
        "pip install -r requirements-dev.txt: hatchling builds the wheels"
    )
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "--isolated", "wheel", "--quiet", "--no-index",
            "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), *map(str, projects),
        ],
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def read_wheels(folder: Path) -> list[PathDistribution]:
    """Return what the wheels of a folder say of themselves."""
    found = []
    for wheel in sorted(folder.glob("*.whl")):
        module, version, *_ = wheel.name.split("-")
        inside = zipfile.Path(wheel, f"{module}-{version}.dist-info/")
        found.append(PathDistribution(cast(Path, inside)))
    return found
