"""The reference of components: what is installed, with the settings that recipes may give.

A component's keyword-only constructor is the schema of its settings, so that is what is shown.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from survkit.component import KINDS, TEXT_KINDS, Component
from survkit.plugins import default_registry
from survkit.settings import describe_type, settings_schema
from survkit_site.recipe_pages import anchor, label, parts_of, recipes

TITLES = {
    "encoder": "Encoders", "fusion": "Fusions", "head": "Heads", "loss": "Losses",
    "baseline": "Baselines", "corruption": "Corruptions", "experiment": "Experiments",
}  # fmt: skip
_MEANINGS = {
    "encoder": "turn one modality into tokens",
    "fusion": "join the modalities",
    "head": "turn the embedding into the parameters of a survival distribution",
    "loss": "terms of the objective",
    "baseline": "classical models, cross-validated in the same folds",
    "corruption": "make inputs worse, for ``survkit stress`` and for training",
    "experiment": "experiments of papers that need no cohort, for ``survkit reproduce``",
}


def pages() -> dict[str, str]:
    """Return a page per kind of component, and the list of all."""
    users = _users()
    found = {}
    for kind in (kind for kind in KINDS if kind not in TEXT_KINDS):
        components = list(default_registry().iterate(kind))
        sections = ["\n".join(_section(each, users)) for each in components]
        head = f"{_title(TITLES[kind], '=')}\n\nThey {_MEANINGS[kind]}.\n"
        found[f"components/{kind}.rst"] = "\n".join([head, *sections])
    found["components/index.rst"] = _index()
    return found


def _index() -> str:
    lines = [
        _title("Components", "="), "",
        "Written from the registry when the site was built; ``survkit list`` shows what is "
        "installed where you are. A name is used in a recipe, in ``--set`` and in "
        ":py:func:`survkit.create`. Which parts fit which: :doc:`/docs/matrix`.", "",
        ".. list-table::", "   :header-rows: 1", "",
        *_row("kind", "name", "what it is", "installed with"),
    ]  # fmt: skip
    for component in default_registry().iterate():
        if component.kind not in TEXT_KINDS:
            name = f":ref:`{component.full_name} <{label(component)}>`"
            lines += _row(component.kind, name, component.summary, f"``{component.distribution}``")
    return "\n".join(lines) + "\n"


def _section(component: Component, users: Mapping[tuple[str, str], list[Component]]) -> list[str]:
    target = component.load()
    lines = [f".. _{label(component)}:", "", _title(component.full_name, "-"), ""]
    lines += [f"{component.summary}. Installed with ``{component.distribution}``.", ""]
    lines += _settings(component, target)
    if used := users.get((component.kind, component.qualified_name), []):
        links = ", ".join(f":ref:`{each.full_name} <{anchor(each)}>`" for each in used)
        lines += [f"Recipes that use it: {links}.", ""]
    name = component.target.replace(":", ".")
    what = "class" if inspect.isclass(target) else "function"
    return [*lines, f".. auto{what}:: {name}", ""]


def _settings(component: Component, target: Any) -> Iterator[str]:
    schema = settings_schema(target, where=component.full_name)
    if not schema:
        yield "It has no settings.\n"
        return
    yield from (".. list-table::", "   :header-rows: 1", "", *_row("setting", "value", "default"))
    for name, (hint, default) in schema.items():
        shown = "required" if default is inspect.Parameter.empty else f"``{_yaml(default)}``"
        yield from _row(f"``{name}``", describe_type(hint), shown)
    yield ""


def _yaml(value: object) -> str:
    """Return a default as a recipe writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_yaml(each) for each in value)}]"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _row(*cells: str) -> Iterable[str]:
    first, *others = cells
    return [f"   * - {first}", *(f"     - {cell}" for cell in others)]


def _users() -> dict[tuple[str, str], list[Component]]:
    """Return the recipes that use a component, by its kind and qualified name."""
    found: dict[tuple[str, str], list[Component]] = {}
    registry = default_registry()
    for component, recipe in recipes():
        for kind, name in parts_of(recipe):
            users = found.setdefault((kind, registry.find(kind, name).qualified_name), [])
            if component not in users:
                users.append(component)
    return found


def _title(text: str, line: str) -> str:
    return f"{text}\n{line * len(text)}"
