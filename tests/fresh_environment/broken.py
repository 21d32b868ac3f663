"""Distributions that are installed and cannot be loaded, each for a reason of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "survkit-{name}"
version = "0.1.0"
dependencies = ["survkit-core"]

[project.entry-points."survkit.plugins"]
{name} = "{target}"

[tool.hatch.build.targets.wheel]
only-include = ["survkit_{name}.py"]
"""


class Broken(NamedTuple):
    """A plugin, its module, what its entry point names, and what is said of it."""

    name: str
    module: str
    target: str
    said: str

    @property
    def distribution(self) -> str:
        """What is installed."""
        return f"survkit-{self.name}"


BROKEN = (
    Broken(
        "crash", "import a_package_that_is_nowhere\n", "survkit_crash",
        "ModuleNotFoundError: No module named 'a_package_that_is_nowhere'",
    ),
    Broken(
        "future", 'SURVKIT_API = ">=7,<8"\n', "survkit_future",
        "it was written for survkit API >=7,<8, but this survkit has 0.1: "
        "pip install --upgrade survkit-core",
    ),
    Broken(
        "nowhere", "", "survkit_nowhere_else.plugin",
        "ModuleNotFoundError: No module named 'survkit_nowhere_else'",
    ),
)  # fmt: skip
"""In the order of their names, as survkit tells of them."""


def write_broken(folder: Path) -> Iterator[Path]:
    """Yield a project for each."""
    for broken in BROKEN:
        project = folder / broken.distribution
        project.mkdir(parents=True)
        (project / f"survkit_{broken.name}.py").write_text(broken.module)
        text = _PROJECT.format(name=broken.name, target=broken.target)
        (project / "pyproject.toml").write_text(text)
        yield project
