"""Fills the templates and writes the folder, all of it or nothing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from packaging.version import Version

from survkit.errors import RunError
from survkit.plugins import API_VERSION
from survkit.scaffold.plugin_name import PluginName

ENDING = ".jinja"
"""Of templates that are filled; the others are copied."""


def write_plugin(name: PluginName, folder: Path) -> list[Path]:
    """Write a distribution with one example of every kind, its tests and its README.

    Args:
        name: Of the plugin.
        folder: Where to; its parent is created. Nothing that is there is replaced.

    Returns:
        The files written, relative to the folder.

    Raises:
        RunError: The folder exists, or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise RunError(f"{folder} is there already and is not overwritten; give another --out")
    content = dict(rendered(name))
    work = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        for path, data in content.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(data)
        work.rename(folder)
    except OSError as error:
        raise RunError(f"{folder}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return [Path(path) for path in content]


def rendered(name: PluginName) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield path and content of every file of the plugin."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, keep_trailing_newline=True, autoescape=False
    )
    facts = _facts(name)
    for path, source in _templates(files("survkit.scaffold") / "template", PurePosixPath()):
        data = source.read_bytes()
        if path.suffix == ENDING:
            template = environment.from_string(data.decode("utf-8"))
            data = template.render(facts).encode("utf-8")
            path = path.with_suffix("")
        yield (
            PurePosixPath(*(name.package if part == "package" else part for part in path.parts)),
            data,
        )


def _facts(name: PluginName) -> dict[str, str]:
    """Return what the templates ask for; ranges of versions hold what is installed here."""
    from survkit import __version__

    return {
        "name": name.plugin,
        "distribution": name.distribution,
        "package": name.package,
        "api": _range(API_VERSION),
        "core": _range(__version__),
    }


def _range(version: str) -> str:
    """Return ``>=0.1,<0.2`` for ``0.1.3``: a later minor version may break a plugin."""
    major, minor = Version(version).release[:2]
    return f">={major}.{minor},<{major}.{minor + 1}"


def _templates(
    folder: Traversable, place: PurePosixPath
) -> Iterator[tuple[PurePosixPath, Traversable]]:
    for each in sorted(folder.iterdir(), key=lambda one: one.name):
        if each.is_dir():
            yield from _templates(each, place / each.name)
        else:
            yield place / each.name, each
