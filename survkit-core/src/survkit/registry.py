"""Names of components; nothing is imported before it is asked for.

A :class:`Registry` is passed as an argument. The process-wide one,
:func:`survkit.plugins.default_registry`, is for the command line and the package's own top level.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase

from survkit.catalog import known_names, providers_of
from survkit.component import CORE_PLUGIN, KINDS, SESSION_PLUGIN, Component, Plugin, PluginStatus
from survkit.errors import PluginError, UnknownComponentError
from survkit.suggest import close_matches, did_you_mean

__all__ = ["KINDS", "Component", "Plugin", "PluginStatus", "Registry"]


class Registry:
    """Components by kind and name, with the plugin that each came from."""

    def __init__(self) -> None:
        self._components: list[Component] = []
        self._statuses: list[PluginStatus] = []
        self._plugin = Plugin(SESSION_PLUGIN, "this session", "")

    @property
    def plugins(self) -> tuple[PluginStatus, ...]:
        """How loading went, one entry per plugin found, in the order of loading."""
        return tuple(self._statuses)

    def note(self, status: PluginStatus) -> None:
        """Remember how loading a plugin went."""
        self._statuses.append(status)

    @contextmanager
    def adding_for(self, plugin: Plugin) -> Iterator[None]:
        """Attribute what is added inside to ``plugin``; if the block raises, take it all back."""
        before, kept = self._plugin, len(self._components)
        self._plugin = plugin
        try:
            yield
        except BaseException:
            del self._components[kept:]
            raise
        finally:
            self._plugin = before

    def add(self, kind: str, name: str, target: str, *, summary: str) -> None:
        """Register a component; nothing is imported.

        Adding the very same line again changes nothing, so that a notebook cell can be run twice.

        Args:
            kind: One of :data:`KINDS`.
            name: Lower case letters and digits, joined by single hyphens, dots or underscores.
            target: ``"module:attribute"``, or for a recipe, demonstration or reproduction
                ``"package:path/inside/package.yaml"``.
            summary: One line for ``survkit list``.

        Raises:
            PluginError: An argument is malformed, or the plugin has given this name to something
                else before.
        """
        component = Component(
            kind=kind, name=name, target=target, summary=summary, plugin=self._plugin.name,
            distribution=self._plugin.distribution, version=self._plugin.version,
        )  # fmt: skip
        component.check()
        if component in self._components:
            return
        for other in self._named(kind, component.qualified_name):
            if other.distribution == component.distribution:
                raise PluginError(
                    f"{kind} {name!r} is already {other.target}; give {target} another name"
                )
        self._components.append(component)

    def find(self, kind: str, name: str) -> Component:
        """Return the component of that bare or full name.

        Raises:
            UnknownComponentError: There is none, or the name fits more than one; the message says
                what would do.
        """
        _check_kind(kind)
        found = self._named(kind, name)
        if len(found) == 1:
            return found[0]
        message = self._twins(kind, name, found) if found else self._unknown(kind, name)
        raise UnknownComponentError(message)

    def iterate(self, kind: str | None = None, pattern: str | None = None) -> Iterator[Component]:
        """Yield components ordered by kind and full name.

        Args:
            kind: Only this kind.
            pattern: Only names that fit these wildcards (``*``, ``?``, ``[ab]``), bare or full.

        Raises:
            UnknownComponentError: There is no such kind.
        """
        if kind is not None:
            _check_kind(kind)
        for component in sorted(self._components, key=_order):
            if kind in (None, component.kind) and (pattern is None or _fits(component, pattern)):
                yield component

    def _named(self, kind: str, name: str) -> list[Component]:
        return [each for each in self._components if each.kind == kind and _is_named(each, name)]

    def _twins(self, kind: str, name: str, found: list[Component]) -> str:
        who = " and ".join(f"{each.qualified_name!r} of {each.distribution}" for each in found)
        names = sorted({each.qualified_name for each in found})
        if len(names) == len(found):
            cure = f"ask for {' or '.join(repr(each) for each in names)}"
        else:  # two distributions that call their plugin alike: no name can tell them apart
            cure = f"uninstall one of them, or set SURVKIT_DISABLE_PLUGINS={found[-1].distribution}"
        return f"{kind} {name!r} is ambiguous: {who}; {cure}"

    def _unknown(self, kind: str, name: str) -> str:
        full = [each.full_name for each in self.iterate(kind)]
        parts = [f"no {kind} is named {name!r}."]
        others = sorted({each.kind for each in self._components if _is_named(each, name)})
        if others:
            named = " and ".join(f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in others)
            parts.append(f"There is {named} of that name.")
        parts += [*self._absent(kind, name), did_you_mean(name, full)]
        return " ".join(parts)

    def _absent(self, kind: str, name: str) -> Iterator[str]:
        """Say for each plugin that should have the name why it is not there."""
        statuses = {status.plugin.name: status for status in self._statuses}
        asked = name.rpartition("/")[0]
        if asked in statuses and statuses[asked].state != "loaded":
            yield _why_not(statuses[asked])
            return
        known = list(providers_of(kind, name))
        if not known and (close := close_matches(name, known_names(kind))):
            yield f"{close[0]!r} is not installed or not loaded."
            known = list(providers_of(kind, close[0]))
        for provider in known:
            status = statuses.get(provider.plugin)
            if status is None:
                yield f"{provider.distribution} provides it: pip install {provider.distribution}."
            elif status.state != "loaded":
                yield _why_not(status)
        broken = [each.plugin.distribution for each in self._statuses if each.state == "broken"]
        if broken and not known:  # a plugin that the catalog does not know may be the one
            yield f"Not loaded, see survkit doctor: {', '.join(broken)}."


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise UnknownComponentError(
            f"{kind!r} is no kind of component. {did_you_mean(kind, KINDS)}"
        )


def _order(component: Component) -> tuple[int, bool, str, str]:
    foreign = component.plugin != CORE_PLUGIN
    return KINDS.index(component.kind), foreign, component.full_name, component.distribution


def _is_named(component: Component, name: str) -> bool:
    return name in (component.name, component.qualified_name)


def _fits(component: Component, pattern: str) -> bool:
    names = (component.name, component.qualified_name)
    return any(fnmatchcase(name, pattern) for name in names)


def _why_not(status: PluginStatus) -> str:
    plugin = status.plugin
    if status.state == "disabled":
        return f"{plugin.distribution} is installed but disabled: {status.reason}."
    return (
        f"{plugin.distribution} {plugin.version} is installed but did not load: {status.reason} "
        "See survkit doctor."
    )
