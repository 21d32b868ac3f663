"""The reference of the Python API: which modules have a page; Sphinx reads the rest from them."""

from __future__ import annotations

import inspect
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from sphinx.pycode import ModuleAnalyzer

import survkit
from survkit.plugins import default_registry

MODULES: dict[str, str] = {
    "survkit.protocols": "Protocols: what a component is",
    "survkit.flow": "Records: what flows from the cohort to the loss",
    "survkit.specs": "Specs: what is known before any data",
    "survkit.prediction": "Predictions",
    "survkit.component": "A registered name",
    "survkit.plugins": "Plugins",
    "survkit.settings": "Settings of components",
    "survkit.errors": "Errors",
    "survkit.metrics": "Metrics",
    "survkit.nonparametric": "Non-parametric curves",
    "survkit.losses": "Losses as functions",
    "survkit.evaluation": "Evaluation",
    "survkit.comparison": "Comparison",
    "survkit.auditing": "Audit",
    "survkit.stress": "Stress",
    "survkit.explaining": "Explanations",
    "survkit.importance": "Importance",
    "survkit.pruning": "Pruning",
    "survkit.report": "Report",
    "survkit.cost": "Cost",
    "survkit.data": "Data",
    "survkit.dicom": "DICOM",
    "survkit.ingest": "Ingest",
    "survkit.radiomics": "Radiomics",
    "survkit.extraction": "Radiomics of a cohort",
    "survkit.phantom": "Phantoms",
    "survkit.training": "Training",
    "survkit.transfer": "Transfer",
    "survkit.hub": "Hub",
    "survkit.estimator": "Estimator for scikit-learn",
    "survkit.baselines": "Classical models",
    "survkit.reproduction": "Reproduction",
    "survkit.testing": "Testing: the conformance kit",
}
"""Module → title, in the order of the pages; other packages that offer names come after them."""
NO_PAGE = ("survkit.cli", "survkit.demo", "survkit.scaffold")
"""Packages whose door is the command line: commands have pages of their own."""

_ONE_PAGE = """survkit
=======

What users import. Every name is loaded when it is first used, so that ``import survkit`` is cheap.

.. py:module:: survkit
"""


@cache
def modules() -> dict[str, str]:
    """Return title by module: those above, and every other package that has an ``__all__``."""
    packages = [f"survkit.{each.name}" for each in iter_modules(survkit.__path__) if each.ispkg]
    others = [
        name
        for name in packages
        if name not in (*MODULES, *NO_PAGE) and getattr(import_module(name), "__all__", ())
    ]
    return MODULES | {name: name.rpartition(".")[2].replace("_", " ").title() for name in others}


def pages() -> dict[str, str]:
    """Return a page per module, the one of the names on top, and the list of all."""
    found = {"api/survkit.rst": _one_page(), "api/index.rst": _index()}
    for module, title in modules().items():
        found[f"api/{module}.rst"] = f"{_title(title)}\n\n``{module}``\n\n{_module(module)}\n"
    return found


def _module(name: str) -> str:
    """Return the directive for a module, or for the parts of a package that gathers nothing."""
    module = import_module(name)
    if not hasattr(module, "__path__") or hasattr(module, "__all__"):
        shared = _documented_before(name)
        lines = [f".. automodule:: {name}", "   :members:"]
        if shared:
            lines.append(f"   :exclude-members: {', '.join(shared)}")
            links = ", ".join(f":py:obj:`{home}`" for home in shared.values())
            lines += ["", f"Also here, and described elsewhere: {links}."]
        return "\n".join(lines)
    lines = [f".. automodule:: {name}\n   :no-members:"]
    for part in sorted(each.name for each in iter_modules(module.__path__)):
        for kind, member in _defined_in(f"{name}.{part}"):
            lines.append(f".. auto{kind}:: {name}.{part}.{member}")
    return "\n\n".join(lines)


def _documented_before(name: str) -> dict[str, str]:
    """Return the names of a package that an earlier page describes, and their names there."""
    homes = {id(getattr(survkit, each)): f"survkit.{each}" for each in survkit.__all__}
    for module in modules():
        if module == name:
            break
        for each in getattr(import_module(module), "__all__", ()):
            homes.setdefault(id(getattr(import_module(module), each)), f"{module}.{each}")
    own = import_module(name)
    members = [(each, id(getattr(own, each))) for each in getattr(own, "__all__", ())]
    return {each: homes[identity] for each, identity in members if identity in homes}


def _defined_in(name: str) -> list[tuple[str, str]]:
    """Return kind and name of what a module defines for its readers; components have a page."""
    found = []
    for member, value in vars(import_module(name)).items():
        own = getattr(value, "__module__", None) == name and not member.startswith("_")
        if own and inspect.isfunction(value) and value.__doc__:
            found.append(("function", member))
        if own and inspect.isclass(value) and not is_component(value) and value.__doc__:
            found.append(("class", member))
    return found


def is_component(value: type) -> bool:
    """Say whether a class is registered."""
    target = f"{value.__module__}:{value.__qualname__}"
    return any(component.target == target for component in default_registry().iterate())


def _index() -> str:
    lines = [_title("Python API"), "", "Written from the code and its docstrings.", ""]
    names = ", ".join(f":py:obj:`{name} <survkit.{name}>`" for name in survkit.__all__)
    lines += [f":doc:`survkit <survkit>`: {names}.", "", ".. list-table::", ""]
    for module, title in modules().items():
        lines += [f"   * - :doc:`{title} <{module}>`", f"     - ``{module}``"]
    return "\n".join(lines) + "\n"


def _one_page() -> str:
    lines = [_ONE_PAGE]
    for name in survkit.__all__:
        found = getattr(survkit, name)
        if inspect.isclass(found):
            lines += [f".. autoclass:: survkit.{name}", "   :members:", ""]
        elif inspect.isfunction(found):
            lines += [f".. autofunction:: survkit.{name}", ""]
        else:
            lines += [f".. py:data:: {name}", "", f"   {_said_of(name)}", ""]
    return "\n".join(lines)


def _said_of(name: str) -> str:
    """Return what stands below a value of the top level where it is defined."""
    if name == "__version__":
        return "Version of the distribution ``survkit-core``."
    module = survkit._HOME[name]
    said = ModuleAnalyzer.for_module(module).find_attr_docs()[("", name)]
    return " ".join(line.strip() for line in said).strip()


def _title(text: str) -> str:
    return f"{text}\n{'=' * len(text)}"
