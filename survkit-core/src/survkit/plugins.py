"""Who adds components: one entry point per distribution, one hook per plugin, each in isolation.

Entry points answer "who is there?" from metadata; the hook answers "what do you offer?" and only
adds strings. A plugin that cannot be loaded is one warning and leaves nothing behind.
"""

from __future__ import annotations

import os
import re
import traceback
import warnings
from collections.abc import Iterable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

import pluggy

from survkit.component import CORE_PLUGIN, NAME, SESSION_PLUGIN, Plugin, PluginStatus
from survkit.errors import PluginError
from survkit.registry import Registry

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

API_VERSION = "0.1"
"""What plugins are written against: the hook, the four protocols, the records that flow."""
ENTRY_POINT_GROUP = "survkit.plugins"
DISABLE_VARIABLE = "SURVKIT_DISABLE_PLUGINS"

hookspec = pluggy.HookspecMarker("survkit")
hookimpl = pluggy.HookimplMarker("survkit")
"""Marks the function ``survkit_register(registry)`` of a plugin's module."""


class PluginWarning(UserWarning):
    """A plugin is installed but could not be loaded."""


class Found(NamedTuple):
    """A plugin that metadata speaks of, before anything of it is imported."""

    plugin: Plugin
    entry_point: EntryPoint


class Hooks:
    """The hooks that a plugin may implement."""

    @hookspec(historic=True)
    def survkit_register(self, registry: Registry) -> None:
        """Add components by name and target; import none of them.

        The module declares ``SURVKIT_API = ">=0.1,<0.2"``, the versions of
        :data:`survkit.API_VERSION` that it was written for.

        Args:
            registry: Where to ``add``; whatever was added is taken back if the hook raises.
        """


def find_plugins() -> list[Found]:
    """Return the installed plugins in the order of their names, without importing any."""
    from importlib.metadata import entry_points

    found = []
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        distribution = entry_point.dist
        name, version = (distribution.name, distribution.version) if distribution else ("?", "?")
        found.append(Found(Plugin(entry_point.name, name, version), entry_point))
    return sorted(found, key=lambda each: each.plugin.name + " " + each.plugin.distribution)


def load_plugins(registry: Registry, found: Iterable[Found], disabled: Iterable[str] = ()) -> None:
    """Let the core and then every plugin add its names to the registry.

    Args:
        registry: What to fill; its ``plugins`` say afterwards how each loading went.
        found: The plugins, as :func:`find_plugins` returns them.
        disabled: Names of plugins or distributions to leave out; ``"*"`` leaves out all.

    Warns:
        PluginWarning: Once for each plugin that could not be loaded.
    """
    from survkit import components

    manager = pluggy.PluginManager("survkit")
    manager.add_hookspecs(Hooks)
    # Historic: a plugin registered later is called at the moment of its registration, alone.
    manager.hook.survkit_register.call_historic(kwargs={"registry": registry})
    core = Plugin(CORE_PLUGIN, "survkit-core", _core_version())
    with registry.adding_for(core):
        _register(manager, components, CORE_PLUGIN)
    registry.note(PluginStatus(core, "loaded"))
    unwanted = {_normal(name) for name in disabled}
    for plugin, entry_point in found:
        if unwanted & {_normal(plugin.name), _normal(plugin.distribution), "*"}:
            registry.note(PluginStatus(plugin, "disabled", f"by {DISABLE_VARIABLE}"))
        else:
            registry.note(_load(manager, registry, plugin, entry_point))


@cache
def default_registry() -> Registry:
    """Return the process-wide registry of everything installed; filled when first asked for."""
    registry = Registry()
    names = os.environ.get(DISABLE_VARIABLE, "").split(",")
    load_plugins(registry, find_plugins(), [name.strip() for name in names if name.strip()])
    return registry


def _load(
    manager: pluggy.PluginManager, registry: Registry, plugin: Plugin, entry_point: EntryPoint
) -> PluginStatus:
    key = f"{plugin.distribution}:{plugin.name}"
    try:
        if not NAME.fullmatch(plugin.name) or plugin.name in (CORE_PLUGIN, SESSION_PLUGIN):
            raise PluginError(f"a plugin cannot be called {plugin.name!r}; rename its entry point")
        module = entry_point.load()
        check_api(getattr(module, "SURVKIT_API", None), plugin)
        with registry.adding_for(plugin):
            _register(manager, module, key)
    except (Exception, SystemExit) as error:  # whatever a stranger's module may do when imported
        if manager.has_plugin(key):
            manager.unregister(name=key)
        reason = str(error) if isinstance(error, PluginError) else _in_one_line(error)
        warnings.warn(
            f"plugin {plugin.name!r} of {plugin.distribution} {plugin.version} is not loaded: "
            f"{reason} (survkit doctor shows more; {DISABLE_VARIABLE}={plugin.name} silences this)",
            PluginWarning,
            stacklevel=2,
        )
        return PluginStatus(plugin, "broken", reason, traceback.format_exc())
    return PluginStatus(plugin, "loaded")


def _register(manager: pluggy.PluginManager, module: ModuleType, key: str) -> None:
    manager.register(module, name=key)
    manager.check_pending()  # else a misspelt hook name is silent
    if not manager.get_hookcallers(module):
        raise PluginError(
            f"{module.__name__} implements no hook; "
            "decorate its function survkit_register(registry) with @hookimpl"
        )


def check_api(declared: object, plugin: Plugin) -> None:
    """Refuse a plugin that was written for another version of the seam.

    Args:
        declared: The plugin module's ``SURVKIT_API``, a PEP 440 specifier such as ``">=0.1,<0.2"``.
        plugin: Whom to name in the message.

    Raises:
        PluginError: Nothing usable is declared, or :data:`API_VERSION` is outside the range.
    """
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    example = f'SURVKIT_API = ">={API_VERSION},<0.2"'
    if not isinstance(declared, str):
        raise PluginError(
            "it does not say which versions of survkit.API_VERSION it was written for; "
            f"its module needs a line such as {example}"
        )
    try:
        accepted = SpecifierSet(declared)
    except InvalidSpecifier as error:
        raise PluginError(f"SURVKIT_API = {declared!r} is no version range; {example}") from error
    if not accepted.contains(API_VERSION, prereleases=True):
        newer = any(
            each.operator in (">=", ">", "~=", "==") and not each.contains(API_VERSION)
            for each in accepted
        )
        upgrade = "survkit-core" if newer else plugin.distribution
        raise PluginError(
            f"it was written for survkit API {declared}, but this survkit has {API_VERSION}: "
            f"pip install --upgrade {upgrade}"
        )


def _core_version() -> str:
    from survkit import __version__

    return __version__


def _in_one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
