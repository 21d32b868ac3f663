"""One registered name, who added it, and how its target is loaded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import import_module
from importlib.resources import files
from typing import Any, Literal, get_args

from survkit.catalog import extra_line
from survkit.errors import MissingExtraError, PluginError
from survkit.suggest import did_you_mean

Kind = Literal[
    "encoder",
    "fusion",
    "head",
    "loss",
    "baseline",
    "corruption",
    "recipe",
    "demonstration",
    "reproduction",
    "experiment",
]
KINDS: tuple[str, ...] = get_args(Kind)
TEXT_KINDS = ("recipe", "demonstration", "reproduction")
"""Kinds that are a YAML file of a package, not something to call."""
CORE_PLUGIN = "survkit"
"""Name of the core as a plugin; a full name without a slash means it."""
SESSION_PLUGIN = "session"
"""Provider of what a notebook or script adds by itself."""

NAME = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_OBJECT = re.compile(f"{_DOTTED}:{_DOTTED}")
_FILE = re.compile(_DOTTED + r":(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.yaml")  # relative, never upwards


@dataclass(frozen=True, slots=True)
class Plugin:
    """Who adds names: the entry point's name, its distribution and that one's version."""

    name: str
    distribution: str
    version: str


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """How loading one plugin went.

    Attributes:
        plugin: Which one.
        state: ``"loaded"``, ``"broken"`` or ``"disabled"``.
        reason: One sentence where it is not loaded.
        traceback: What went wrong, whole, for ``survkit doctor``.
    """

    plugin: Plugin
    state: Literal["loaded", "broken", "disabled"]
    reason: str = ""
    traceback: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One registered name.

    Attributes:
        kind: One of :data:`KINDS`.
        name: The bare name, unique within its plugin and kind.
        target: ``"module:attribute"``; for the :data:`TEXT_KINDS`
            ``"package:path/inside/package.yaml"``.
        summary: One line for ``survkit list``.
        plugin: Name of the plugin that added it.
        distribution: What to ``pip install`` for it.
        version: Version of that distribution.
    """

    kind: str
    name: str
    target: str
    summary: str
    plugin: str
    distribution: str
    version: str

    @property
    def full_name(self) -> str:
        """``plugin/name``; the core's own parts are bare."""
        return self.name if self.plugin == CORE_PLUGIN else self.qualified_name

    @property
    def qualified_name(self) -> str:
        """``plugin/name`` for the core too (``survkit/cox``): nothing installed later hides it."""
        return f"{self.plugin}/{self.name}"

    def load(self) -> Any:
        """Import and return the target; the text of the file for the :data:`TEXT_KINDS`.

        Raises:
            MissingExtraError: An optional package that the component needs is not installed.
            PluginError: The target does not exist or cannot be imported.
        """
        module, _, rest = self.target.partition(":")
        try:
            return (_read_text if self.kind in TEXT_KINDS else _import_object)(module, rest)
        except ImportError as error:
            if (line := extra_line(error.name or "")) is not None:
                raise MissingExtraError(
                    f"{self.kind} {self.full_name!r} needs the package {error.name}, "
                    f"which is not installed: {line}"
                ) from error
            raise PluginError(self._fault(error)) from error
        except (AttributeError, OSError, SyntaxError) as error:
            raise PluginError(self._fault(error)) from error

    def _fault(self, error: Exception) -> str:
        return (
            f"{self.kind} {self.full_name!r} of {self.distribution} {self.version} is registered "
            f"as {self.target}, which cannot be loaded ({type(error).__name__}: {error}); "
            f"reinstall {self.distribution} or tell its authors"
        )

    def check(self) -> None:
        """Refuse what cannot be registered.

        Raises:
            PluginError: The kind, name, target or summary is malformed; the message says which.
        """
        kind, name = self.kind, self.name
        if kind not in KINDS:
            raise PluginError(
                f"{name!r} is added as a {kind!r}, which is no kind. {did_you_mean(kind, KINDS)}"
            )
        if not NAME.fullmatch(name):
            raise PluginError(
                f"{kind} names are lower case letters and digits joined by single hyphens, dots or "
                f"underscores, not {name!r}"
            )
        form, example = _OBJECT, "module:Class"
        if kind in TEXT_KINDS:
            form, example = _FILE, f"package:{kind}s/name.yaml"
        if not form.fullmatch(self.target):
            raise PluginError(
                f"the target of {kind} {name!r} must look like {example!r}, not {self.target!r}"
            )
        if not self.summary.strip() or "\n" in self.summary:
            raise PluginError(f"{kind} {name!r} needs a summary of one line, not {self.summary!r}")


def _import_object(module: str, path: str) -> Any:
    found = import_module(module)
    for attribute in path.split("."):
        found = getattr(found, attribute)
    return found


def _read_text(package: str, path: str) -> str:
    return files(package).joinpath(path).read_text(encoding="utf-8")
