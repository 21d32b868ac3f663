"""References to survkit's own names that have no page of their own.

A docstring may name any part of survkit, documented here or not. One that is documented under
another name (``survkit.data.Cohort`` is ``survkit.Cohort``) leads there; one that exists is shown
without a link; one that does not exist stays a warning, and warnings are errors.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment


def connect(app: Sphinx) -> None:
    """Answer where Sphinx finds nothing."""
    app.connect("missing-reference", _Resolver().resolve)


def find(name: str) -> Any:
    """Return the object of a dotted name.

    Raises:
        LookupError: There is none.
    """
    found = _found(name)
    if not found:
        raise LookupError(name)
    return found[0]


@cache
def _found(name: str) -> tuple[Any, ...]:
    """Return the object alone in a tuple, or an empty one; most names are asked for many times."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found: Any = _module(".".join(parts[:length]))
        except ImportError:
            continue
        try:
            for part in parts[length:]:
                found = _part(found, part)
        except AttributeError:
            break
        return (found,)
    return ()


def _module(name: str) -> ModuleType:
    """Import a module; what is no module of survkit is not looked for on the disk."""
    if name.partition(".")[0].startswith("survkit") or name in sys.modules:
        return import_module(name)
    raise ImportError(name)


def _part(owner: Any, name: str) -> Any:
    """Return an attribute, or what a class says of one that only its instances have."""
    if isinstance(owner, type) and not hasattr(owner, name):
        declared = {key for one in owner.__mro__ for key in vars(one).get("__annotations__", {})}
        if name in declared:
            return None
    return getattr(owner, name)


def candidates(target: str, scopes: list[str]) -> list[str]:
    """Return the full names that a reference may mean within any of the scopes, nearest first."""
    bare = target.removeprefix("~").removeprefix(".")
    return [*(f"{scope}.{bare}" for scope in scopes), bare]


def scopes_of(module: str | None, described: list[str]) -> list[str]:
    """Return where a bare name is looked for: what is described, its class, the module it is from.

    Args:
        module: Of which the page tells.
        described: Full names of what the reference stands in, the innermost first.
    """
    found = list(described)
    for name in described:
        try:
            home = getattr(find(name), "__module__", None)
        except LookupError:
            continue
        if isinstance(home, str):
            found.append(home)
    return [*found, *([module] if module else [])]


def _described(node: Element) -> list[str]:
    """Return the full names of what a reference stands in, the innermost first."""
    found, parent = [], node.parent
    while parent is not None:
        if parent.tagname == "desc" and parent.get("domain") == "py":
            signature = parent[0]
            found.append(f"{signature.get('module')}.{signature.get('fullname')}")
        parent = parent.parent
    return found


class _Resolver:
    """Answers for one build, and looks up once what is documented."""

    def __init__(self) -> None:
        self._documented: dict[int, str] = {}

    def resolve(
        self, app: Sphinx, env: BuildEnvironment, node: Element, content: Element
    ) -> Element | None:
        """Return a link or plain text for a name that exists, ``None`` for any other."""
        if node.get("refdomain") != "py":
            return None
        for name in candidates(
            str(node["reftarget"]), scopes_of(node.get("py:module"), _described(node))
        ):
            try:
                home = self._home(env, find(name))
            except LookupError:
                continue
            if home is None:
                return content
            domain = env.domains.python_domain
            return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", home, node, content)
        # A type of a signature was not written as a reference; that it exists is for mypy to say.
        return None if "refwarn" in node else content

    def _home(self, env: BuildEnvironment, found: Any) -> str | None:
        """Return the name under which an object is documented."""
        if not self._documented:
            for name in env.domains.python_domain.objects:
                try:
                    self._documented[id(find(name))] = name
                except LookupError:
                    continue
        return None if found is None else self._documented.get(id(found))
