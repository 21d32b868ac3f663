"""Small distributions on disk, for tests of what installed plugins do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

MakeDistribution = Callable[..., Path]

WORKING = """
    from survkit.plugins import hookimpl

    SURVKIT_API = ">=0.1,<0.2"

    @hookimpl
    def survkit_register(registry):
        registry.add("encoder", "tree", "{module}_parts:Tree", summary="grows")
        registry.add("head", "cox", "{module}_parts:Cox", summary="another Cox head")
"""


@pytest.fixture
def make_distribution(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeDistribution]:
    """Yield a function that installs a distribution with one plugin module on ``sys.path``."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    modules: list[str] = []

    def make(distribution: str, plugin: str, source: str = WORKING, version: str = "1.2.3") -> Path:
        module = distribution.replace("-", "_") + "_plugin"
        modules.extend([module, f"{module}_parts"])
        (site / f"{module}.py").write_text(dedent(source).replace("{module}", module))
        (site / f"{module}_parts.py").write_text("class Tree: pass\nclass Cox: pass\n")
        metadata = site / f"{distribution.replace('-', '_')}-{version}.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        )
        (metadata / "entry_points.txt").write_text(f"[survkit.plugins]\n{plugin} = {module}\n")
        return site

    yield make
    for module in modules:
        sys.modules.pop(module, None)
