"""The recipes, tables and experiments of the installed plugins, from their files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from survkit.component import Component
from survkit.component_config import ComponentConfig
from survkit.plugins import default_registry
from survkit.recipe import LossConfig, Recipe
from survkit_site.markdown import code, folded, plain, table

_INTRODUCTION = """# Recipes

Written from the registry when the site was built: every recipe of the plugins in this repository. A
recipe says which parts, which outcome, which objective and how it is trained; `--set path=value`
changes any of it, and a file of your own is used in the same way. All of these run with

```sh
survkit cv RECIPE --cohort cohort.yaml --out runs/cv
```
"""
_TABLES = """## Tables and experiments of papers

A reproduction runs a paper's table row by row on one cohort and sets its numbers beside the
published ones; an experiment needs no cohort. Both: [reproduce](/docs/reproduce.md).
"""


def pages() -> dict[str, str]:
    """Return a page per plugin that has recipes, and the list of all."""
    found: dict[str, list[str]] = {}
    rows = []
    for component, recipe in recipes():
        page = f"recipes/{component.plugin}.md"
        opening = f"# Recipes of {component.distribution}\n"
        found.setdefault(page, [opening]).append("\n".join(_section(component, recipe)))
        link = f"[{component.full_name}](#{anchor(component)})"
        rows.append((link, plain(recipe.title), component.summary))
    others = [
        (f"`survkit reproduce {each.full_name}`", each.kind, plain(each.summary))
        for kind in ("reproduction", "experiment")
        for each in default_registry().iterate(kind)
    ]
    index = [_INTRODUCTION, table(("recipe", "title", ""), rows), _TABLES]
    index.append(table(("command", "kind", ""), others))
    return {name: "\n".join(text) for name, text in found.items()} | {
        "recipes/index.md": "\n".join(index)
    }


def recipes() -> Iterator[tuple[Component, Recipe]]:
    """Yield every installed recipe."""
    registry = default_registry()
    for component in registry.iterate("recipe"):
        yield component, Recipe.read(component.qualified_name, registry=registry)


def anchor(component: Component) -> str:
    """Return what links to a recipe lead to."""
    return f"recipe-{component.qualified_name.replace('/', '-')}"


def label(component: Component) -> str:
    """Return what links to a component lead to."""
    return f"component-{component.kind}-{component.qualified_name.replace('/', '-')}"


def parts_of(recipe: Recipe) -> list[tuple[str, str]]:
    """Return kind and name of every component that a recipe names."""
    if recipe.baseline:
        return [("baseline", recipe.baseline.use)]
    losses = [("loss", term.use) for term in recipe.objective if isinstance(term, LossConfig)]
    encoders = [("encoder", one.use) for one in recipe.encoders.values()]
    head = [("head", recipe.head.use)] if recipe.head else []
    corruptions = [("corruption", one.use) for one in recipe.training.corruptions]
    return [*encoders, ("fusion", recipe.fusion.use), *head, *losses, *corruptions]


def _section(component: Component, recipe: Recipe) -> Iterator[str]:
    yield f"({anchor(component)})=\n## {component.full_name}\n"
    title = f"{plain(recipe.title)}. " if recipe.title else ""
    yield f"{title}*{plain(component.summary)}*\n"
    yield table(("part", "component", "settings"), _composition(recipe))
    horizon = f"{recipe.outcome.horizon:g} {recipe.outcome.unit}"
    yield f"Horizon {horizon}; reads {', '.join(f'`{each}`' for each in recipe.modalities)}.\n"
    yield code(f"survkit cv {component.full_name} --cohort cohort.yaml --out runs/cv", "sh")
    yield folded("The recipe as written", code(component.load(), "yaml"))


def _composition(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    if recipe.baseline:
        yield _row("baseline", "baseline", recipe.baseline)
        return
    for name, encoder in recipe.encoders.items():
        yield _row("encoder", f"encoders.{name}", encoder)
    yield _row("fusion", "fusion", recipe.fusion)
    if recipe.head:
        yield _row("head", "head", recipe.head)
    for term in recipe.objective:
        if isinstance(term, LossConfig):
            yield _row("loss", f"objective, weight {term.weight:g}", term)
        else:
            yield f"objective, weight {term.weight:g}", f"penalty `{term.penalty}`", ""


def _row(kind: str, role: str, part: ComponentConfig) -> tuple[str, str, str]:
    settings = ", ".join(f"{name}: {_shown(value)}" for name, value in part.settings.items())
    component = default_registry().find(kind, part.use)
    link = f"[{component.full_name}](#{label(component)})"
    return role, link, f"`{settings}`" if settings else ""


def _shown(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_shown(each) for each in value)}]"
    return str(value)
