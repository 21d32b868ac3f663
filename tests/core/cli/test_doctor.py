"""``survkit doctor``: versions, plugins, extras, and why something is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest

from survkit.cli import doctor, main

MakeDistribution = Callable[..., Path]


def survkit(*words: str, site: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    command = [sys.executable, "-m", "survkit", *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def test_a_sound_installation_is_zero(capsys: pytest.CaptureFixture[str]) -> None:
    """Versions come from metadata, without an import of torch."""
    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out

    assert f"torch                   {version('torch')}" in shown
    assert "survkit                 loaded    survkit-core 0.1.0" in shown


def test_a_broken_plugin_is_one_with_its_traceback(make_distribution: MakeDistribution) -> None:
    """The traceback is what its authors need; the warning is not repeated."""
    site = make_distribution("survkit-broken", "broken", "import a_package_that_is_nowhere")

    done = survkit("doctor", site=site)

    assert done.returncode == 1
    assert "broken                  broken    survkit-broken 1.2.3: ModuleNotFound" in done.stdout
    assert "broken of survkit-broken did not load:\nTraceback" in done.stdout
    assert "import a_package_that_is_nowhere" in done.stdout
    assert done.stderr == ""


def test_a_broken_plugin_is_one_line_for_everybody_else(
    make_distribution: MakeDistribution,
) -> None:
    """``survkit list`` works, and says where to look."""
    site = make_distribution("survkit-broken", "broken", "import a_package_that_is_nowhere")
    make_distribution("survkit-forest", "forest")

    done = survkit("list", "--kind", "encoder", site=site)

    assert done.returncode == 0
    assert "forest/tree" in done.stdout
    assert done.stderr.startswith("warning: plugin 'broken' of survkit-broken 1.2.3 is not loaded")
    assert "survkit doctor shows more" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_missing_extra_is_told_with_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Missing and too old are the same to the user: the same line cures both."""
    installed = {"monai": None, "pydicom": "1.0", "nibabel": "9", "SimpleITK": "9"}

    def find(name: str) -> str | None:
        return installed.get(name, "99")

    monkeypatch.setattr(doctor, "_installed", find)

    assert main(["doctor"]) == 0
    shown = capsys.readouterr().out
    assert 'missing monai, pydicom: pip install "survkit-core[imaging]"' in shown
    assert "testing                 complete" in shown


def test_devices_are_shown_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """This is the one part that imports torch."""
    assert main(["doctor", "--devices"]) == 0
    shown = capsys.readouterr().out
    assert "threads" in shown
    assert "cuda" in shown
