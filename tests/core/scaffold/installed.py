"""A written plugin on the path, as an editable install leaves it; nothing is downloaded."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from survkit.plugins import default_registry


def write_metadata(folder: Path, site: Path) -> list[Path]:
    """Write what an installer makes of pyproject.toml; return what goes on the path."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module = project["name"].replace("-", "_")
    metadata = site / f"{module}-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    lines = [
        f"{key} = {value}" for key, value in project["entry-points"]["survkit.plugins"].items()
    ]
    (metadata / "entry_points.txt").write_text("\n".join(["[survkit.plugins]", *lines, ""]))
    return [folder / "src", site]


@contextmanager
def installed(path: Sequence[Path], package: str) -> Iterator[None]:
    """Let this process find the plugin, and forget it afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        for each in path:
            patch.syspath_prepend(str(each))
        default_registry.cache_clear()
        try:
            yield
        finally:
            default_registry.cache_clear()
            for name in [name for name in sys.modules if name.partition(".")[0] == package]:
                del sys.modules[name]


def run_beside(
    path: Sequence[Path], *words: str, cwd: Path, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run ``python -m WORDS`` in a process that finds the plugin."""
    before = os.environ.get("PYTHONPATH")
    places = [*map(str, path), *([before] if before else [])]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(places)},
        capture_output=True,
        text=True,
    )
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return done
