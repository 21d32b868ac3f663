"""An environment as a stranger's: what pip would bring and nothing else, least of all this code.

Packages of others are links to those of the environment that runs the tests: torch alone would
take minutes to install. Links are made for what the wheels declare, so a package that is used
without being declared is missing, as it would be elsewhere. survkit's own distributions are
installed by pip from wheels.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name
from tests.fresh_environment.lines import Ended, run_lines
from tests.fresh_environment.requirements import entries_of, needed_by
from tests.fresh_environment.settings import strangers_variables
from tests.fresh_environment.wheels import read_wheels


@dataclass(frozen=True)
class FreshEnvironment:
    """A virtual environment.

    Attributes:
        folder: Where it is.
        settings: Environment variables of whatever runs in it.
    """

    folder: Path
    settings: Mapping[str, str]

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    @property
    def packages(self) -> Path:
        """Its site-packages."""
        paths = {"base": str(self.folder), "platbase": str(self.folder)}
        return Path(sysconfig.get_path("purelib", "venv", vars=paths))

    def run(self, *words: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``python -I WORDS`` in a folder; it must end with the code."""
        done = subprocess.run(
            [str(self.python), "-I", *words],
            cwd=cwd, env=strangers_variables(self.settings), capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def survkit(self, line: str, *, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``python -I -m survkit LINE``."""
        return self.run("-m", "survkit", *shlex.split(line), cwd=cwd, code=code)

    def lines(self, *lines: str, cwd: Path, all_done: bool = True) -> list[Ended]:
        """Run several lines in one process of it."""
        variables = strangers_variables(self.settings)
        python = [str(self.python), "-I"]
        return run_lines(python, lines, cwd=cwd, env=variables, all_done=all_done)

    def pip(self, *words: str) -> None:
        """Run the pip of this process's environment on it; no configuration or index is known."""
        done = subprocess.run(
            [sys.executable, "-m", "pip", "--isolated", "--python", str(self.python), *words],
            env={**os.environ, "PIP_CONFIG_FILE": os.devnull}, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr


def make_environment(
    folder: Path, asked: Sequence[str], wheels: Path, settings: Mapping[str, str]
) -> FreshEnvironment:
    """Make an environment that holds what ``pip install ASKED`` would bring.

    Args:
        folder: Must not be there.
        asked: Requirements such as ``survkit-robsurv``.
        wheels: Where survkit's own distributions are; they alone are known to pip.
        settings: Environment variables of whatever runs in it.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    made = FreshEnvironment(folder, settings)
    ours = {canonicalize_name(each.name): each for each in read_wheels(wheels)}
    needed = needed_by(asked, ours)
    for name in needed - ours.keys():
        for top, place in entries_of(name).items():
            link = made.packages / top
            if not link.is_symlink():  # some share a folder, such as nvidia
                link.symlink_to(place.resolve())
    made.pip(
        "install", "--quiet", "--no-index", "--find-links", str(wheels), "--no-deps",
        "--no-compile", *sorted(needed & ours.keys()),
    )  # fmt: skip
    return made
