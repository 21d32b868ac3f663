"""A registry with the core's parts and those that a test writes into a module of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import pytest

from survkit.component import CORE_PLUGIN, Plugin
from survkit.registry import Registry


@contextmanager
def registry_with(
    folder: Path, modules: Mapping[str, str], parts: Mapping[str, tuple[str, str]]
) -> Iterator[Registry]:
    """Give the registry while the modules can be imported.

    Args:
        folder: Gets the modules.
        modules: Source by name.
        parts: Kind and target by name.
    """
    from survkit.components import survkit_register

    for name, source in modules.items():
        (folder / f"{name}.py").write_text(dedent(source))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        found = Registry()
        with found.adding_for(Plugin(CORE_PLUGIN, "survkit-core", "0")):
            survkit_register(found)
        for name, (kind, target) in parts.items():
            found.add(kind, name, target, summary="of a test")
        yield found
