"""Version ranges of every distribution in this repository fit each other and what is installed."""

from __future__ import annotations

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from survkit.plugins import API_VERSION

ROOT = Path(__file__).resolve().parents[2]
PROJECTS: dict[str, dict[str, Any]] = {
    path.parent.name: tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    for path in sorted(ROOT.glob("survkit-*/pyproject.toml"))
}


def requirements(project: dict[str, Any], extras: bool = True) -> list[Requirement]:
    """Return all requirements, those of the extras included."""
    texts = list(project.get("dependencies", []))
    if extras:
        for group in project.get("optional-dependencies", {}).values():
            texts.extend(group)
    return [Requirement(text) for text in texts]


@pytest.mark.parametrize("name", PROJECTS)
def test_a_folder_is_called_after_its_distribution(name: str) -> None:
    """And all support the same Pythons under the same licence."""
    project = PROJECTS[name]

    assert project["name"] == name
    assert project["requires-python"] == PROJECTS["survkit-core"]["requires-python"]
    assert project["license"] == "Apache-2.0"


@pytest.mark.parametrize("name", PROJECTS)
def test_every_requirement_has_a_lower_bound_that_is_met_here(name: str) -> None:
    """What is promised is at least not false where the tests run."""
    for requirement in requirements(PROJECTS[name]):
        if requirement.name == name:
            continue
        lower = [each for each in requirement.specifier if each.operator in (">=", "~=", "==")]
        assert lower, f"{requirement} has no lower bound"
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            continue  # an extra that this environment does without
        assert requirement.specifier.contains(installed, prereleases=True), requirement


@pytest.mark.parametrize("name", [name for name in PROJECTS if name != "survkit-core"] or [None])
def test_a_plugin_accepts_the_core_beside_it(name: str | None) -> None:
    """By a range with an upper bound, so that a later core cannot break it unseen."""
    if name is None:
        pytest.skip("no plugin in this checkout")
    core = Version(PROJECTS["survkit-core"]["version"])
    ranges = [
        each for each in requirements(PROJECTS[name], extras=False) if each.name == "survkit-core"
    ]

    assert len(ranges) == 1
    assert ranges[0].specifier.contains(core, prereleases=True)
    assert any(each.operator in ("<", "<=", "~=", "==") for each in ranges[0].specifier)


@pytest.mark.parametrize("name", PROJECTS)
def test_no_distribution_requires_a_gpl_package(name: str) -> None:
    """scikit-survival is GPL-3: an extra, never a dependency."""
    assert "scikit-survival" not in {each.name for each in requirements(PROJECTS[name], False)}


def test_the_api_version_is_a_release_of_two_numbers() -> None:
    """It changes with the seam, not with every release of the core."""
    assert len(Version(API_VERSION).release) == 2
