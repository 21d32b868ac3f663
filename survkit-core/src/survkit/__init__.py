"""Deep survival analysis on medical images, as a plugin framework.

Importing the package is cheap: every name below is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from survkit.auditing.audit import audit
    from survkit.comparison import compare
    from survkit.component import Component
    from survkit.data import Cohort
    from survkit.estimator import SurvivalEstimator
    from survkit.evaluation import evaluate
    from survkit.finalizing.finalize import finalize
    from survkit.hub import from_pretrained, push_to_hub, save_pretrained
    from survkit.hub.pull import pull
    from survkit.plugins import API_VERSION, hookimpl
    from survkit.recipe import Recipe
    from survkit.registry import Registry
    from survkit.tournaments.tournament import tournament
    from survkit.training.cross_validate import cross_validate
    from survkit.training.fit import fit

    __version__: str

__all__ = [
    "API_VERSION",
    "Cohort",
    "Recipe",
    "Registry",
    "SurvivalEstimator",
    "__version__",
    "audit",
    "compare",
    "create",
    "cross_validate",
    "evaluate",
    "finalize",
    "fit",
    "from_pretrained",
    "hookimpl",
    "list_components",
    "pull",
    "push_to_hub",
    "save_pretrained",
    "tournament",
]

_HOME = {
    "API_VERSION": "survkit.plugins",
    "Cohort": "survkit.data",
    "Recipe": "survkit.recipe",
    "Registry": "survkit.registry",
    "SurvivalEstimator": "survkit.estimator",
    "audit": "survkit.auditing",
    "compare": "survkit.comparison",
    "cross_validate": "survkit.training",
    "evaluate": "survkit.evaluation",
    "finalize": "survkit.finalizing",
    "fit": "survkit.training",
    "from_pretrained": "survkit.hub",
    "hookimpl": "survkit.plugins",
    "pull": "survkit.hub",
    "push_to_hub": "survkit.hub",
    "save_pretrained": "survkit.hub",
    "tournament": "survkit.tournaments",
}


_READERS = {
    "recipe": "survkit.Recipe",
    "demonstration": "survkit.demonstration.Demonstration",
    "reproduction": "survkit.reproduction.Reproduction",
}


def list_components(pattern: str | None = None, *, kind: str | None = None) -> list[Component]:
    """Return the registered components, without importing any of them.

    Args:
        pattern: Only names that fit these wildcards, bare or full: ``"*vit*"``, ``"robsurv/*"``.
        kind: Only ``"encoder"``, ``"fusion"``, ``"head"``, ``"loss"``, ``"baseline"``,
            ``"corruption"``, ``"recipe"``, ``"demonstration"``, ``"reproduction"`` or
            ``"experiment"``.

    Raises:
        UnknownComponentError: There is no such kind.

    >>> [component.name for component in list_components("cox*")]
    ['cox', 'cox']
    """
    from survkit.plugins import default_registry

    return list(default_registry().iterate(kind, pattern))


def create(kind: str, name: str, /, *args: Any, **settings: Any) -> Any:
    """Build the component of that name, after its settings have been checked.

    Args:
        kind: ``"encoder"``, ``"fusion"``, ``"head"``, ``"loss"``, ``"baseline"``,
            ``"corruption"`` or ``"experiment"``.
        name: Its bare name where that is unique, or its full name ``"plugin/name"``.
        args: The spec that the kind is built with: :mod:`survkit.protocols`.
        settings: The component's own keyword-only settings.

    Raises:
        UnknownComponentError: No component, or more than one, has the name.
        ConfigError: A setting is unknown, missing or of the wrong type; or the kind is
            ``recipe``, ``demonstration`` or ``reproduction``.
    """
    from survkit.component import TEXT_KINDS
    from survkit.errors import ConfigError
    from survkit.plugins import default_registry
    from survkit.settings import check_settings

    found = default_registry().find(kind, name)
    if kind in TEXT_KINDS:
        raise ConfigError(
            f"a {kind} is text, not built; use {_READERS[kind]} for {found.full_name!r}"
        )
    component = found.load()
    where = f"{kind} {found.full_name!r}"
    return component(*args, **check_settings(component, settings, where=where))


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("survkit-core")
    elif name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
