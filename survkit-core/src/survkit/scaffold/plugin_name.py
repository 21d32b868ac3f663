"""One name in its three spellings, and which names a new plugin cannot have."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from survkit.catalog import CATALOG
from survkit.component import CORE_PLUGIN, SESSION_PLUGIN, Plugin
from survkit.errors import ConfigError

PREFIX = "survkit-"
LONGEST = 30
"""Letters of a name; import lines of the plugin stay within its line length."""

_FORM = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TAKEN = {
    CORE_PLUGIN: "survkit itself",
    SESSION_PLUGIN: "what a notebook adds by itself",
    "core": "survkit-core",
}


@dataclass(frozen=True, slots=True)
class PluginName:
    """A plugin's name where it is registered, installed and imported.

    Attributes:
        plugin: As in ``my-paper/encoder``; lower case letters, digits and single hyphens.
    """

    plugin: str

    @property
    def distribution(self) -> str:
        """What is installed: ``survkit-my-paper``, the normal form of PEP 503."""
        return f"{PREFIX}{self.plugin}"

    @property
    def package(self) -> str:
        """What is imported: ``survkit_my_paper``."""
        return self.distribution.replace("-", "_")


def check_plugin_name(name: str, installed: Iterable[Plugin] = ()) -> PluginName:
    """Return the spellings of a name that a new plugin can have.

    Args:
        name: As the user wrote it, without ``survkit-``.
        installed: The plugins that are there.

    Raises:
        ConfigError: It is malformed, or the name of a plugin that is known or installed.
    """
    normal = re.sub(r"[-_.\s]+", "-", name.lower()).strip("-").removeprefix(PREFIX)
    if not _FORM.fullmatch(name) or name.startswith(PREFIX) or len(name) > LONGEST:
        fits = _FORM.fullmatch(normal) and not normal.startswith(PREFIX) and len(normal) <= LONGEST
        raise ConfigError(
            "a plugin's name is lower case letters and digits joined by single hyphens, begins "
            f"with a letter, has at most {LONGEST} of them and comes without 'survkit-', which is "
            f"put before it; not {name!r}" + (f" (did you mean {normal!r}?)" if fits else "")
        )
    found = PluginName(name)
    if (owner := _owner(found, installed)) is not None:
        raise ConfigError(f"the name {name!r} is taken by {owner}; give the plugin another one")
    return found


def _owner(name: PluginName, installed: Iterable[Plugin]) -> str | None:
    """Return who has the name already."""
    if name.plugin in _TAKEN:
        return _TAKEN[name.plugin]
    for known in CATALOG:
        if name.plugin == known.plugin or name.distribution == known.distribution:
            return known.distribution
    for plugin in installed:
        distribution = re.sub(r"[-_.]+", "-", plugin.distribution).lower()
        if name.plugin == plugin.name or name.distribution == distribution:
            return f"{plugin.distribution} {plugin.version}, which is installed"
    return None
