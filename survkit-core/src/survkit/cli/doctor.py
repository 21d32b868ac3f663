"""``survkit doctor``: is the installation in order, and if not, what would cure it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from typing import Annotated

import typer

from survkit.plugins import PluginWarning, default_registry
from survkit.registry import Registry

_SHOWN = ("survkit-core", "torch", "lightning", "numpy", "pandas", "scipy")


def command(
    devices: Annotated[
        bool, typer.Option("--devices", help="Import torch and show its devices (slower).")
    ] = False,
) -> None:
    """Check the installation: versions, plugins, optional packages.

    Ends with exit code 1 if an installed plugin could not be loaded.
    """
    print("\n".join(_versions()))
    if devices:
        print("\n".join(_devices()))
    registry = _registry_without_warnings()
    print("\nplugins")
    print("\n".join(_plugins(registry)))
    print("\noptional packages of survkit-core")
    print("\n".join(_extras()))
    broken = [status for status in registry.plugins if status.state == "broken"]
    for status in broken:
        print(f"\n{status.plugin.name} of {status.plugin.distribution} did not load:")
        print(status.traceback.rstrip())
    if broken:
        raise typer.Exit(1)


def _registry_without_warnings() -> Registry:
    """Return the default registry; what it would warn of is printed in full below."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PluginWarning)
        return default_registry()


def _versions() -> Iterator[str]:
    yield f"{'python':<24}{platform.python_version()}  {sys.executable}"
    yield f"{'system':<24}{platform.platform()}"
    for name in _SHOWN:
        yield f"{name:<24}{_installed(name) or 'not installed'}"


def _devices() -> Iterator[str]:
    import torch

    yield f"{'threads':<24}{torch.get_num_threads()}"
    count = torch.cuda.device_count()
    for index in range(count):
        properties = torch.cuda.get_device_properties(index)
        name = f"cuda:{index}"
        yield f"{name:<24}{properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    if torch.backends.mps.is_available():
        yield f"{'mps':<24}available"
    if not count:
        yield f"{'cuda':<24}no device"


def _plugins(registry: Registry) -> Iterator[str]:
    for status in registry.plugins:
        plugin = status.plugin
        line = f"{plugin.name:<24}{status.state:<10}{plugin.distribution} {plugin.version}"
        yield f"{line}: {status.reason}" if status.reason else line


def _extras() -> Iterator[str]:
    """Yield one line per extra, with the line that installs what is missing or too old."""
    from packaging.requirements import Requirement

    requirements = [Requirement(text) for text in requires("survkit-core") or []]
    for extra in metadata("survkit-core").get_all("Provides-Extra") or []:
        missing = [
            each.name
            for each in requirements
            if each.marker is not None
            and each.marker.evaluate({"extra": extra})
            and not each.marker.evaluate({"extra": ""})
            and not each.specifier.contains(_installed(each.name) or "0", prereleases=True)
        ]
        cure = f'missing {", ".join(missing)}: pip install "survkit-core[{extra}]"'
        yield f"{extra:<24}{cure if missing else 'complete'}"


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
