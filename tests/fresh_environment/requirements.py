"""What ``pip install NAME`` would bring: declared requirements, and theirs, to the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


@cache
def installed_here() -> dict[str, Distribution]:
    """Return what this process finds by name, nothing of survkit's among it."""
    found = {canonicalize_name(each.name): each for each in reversed([*distributions()])}
    return {name: each for name, each in found.items() if not name.startswith("survkit-")}


def needed_by(asked: Iterable[str], ours: Mapping[str, Distribution]) -> set[str]:
    """Return the names of all that the requirements bring along, themselves among it.

    Args:
        asked: Such as ``survkit-core[imaging]``.
        ours: What was built here; everything else must be installed here, in a version that fits.
    """
    waiting, seen = [Requirement(text) for text in asked], set[tuple[str, str]]()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        found = ours.get(name) or installed_here().get(name)
        assert found is not None, f"{requirement} is not installed here"
        assert requirement.specifier.contains(found.version, prereleases=True), requirement
        for extra in {"", *requirement.extras}:
            if (name, extra) not in seen:
                seen.add((name, extra))
                waiting += _requirements(found, extra)
    return {name for name, _ in seen}


@cache
def entries_of(name: str) -> dict[str, Path]:
    """Return what a distribution has in site-packages, by name; not what start-up would run."""
    distribution = installed_here()[name]
    assert distribution.files, f"{name} does not say which files are its"
    tops = {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}
    return {
        top: Path(str(distribution.locate_file(top))) for top in tops if not top.endswith(".pth")
    }


def _requirements(distribution: Distribution, extra: str) -> Iterator[Requirement]:
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            yield requirement
