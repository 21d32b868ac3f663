"""Which functions of the metrics and of the non-parametric estimators look at subjects."""

from __future__ import annotations

import inspect
import pkgutil
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

import survkit.metrics
import survkit.nonparametric

SUBJECTS = {"target", "training", "duration"}


@pytest.fixture(scope="session")
def functions_of_subjects() -> dict[str, Callable[..., Any]]:
    """Return the functions that a user may call with subjects, by name.

    Those are the metrics that ``survkit.metrics`` lists, and what the modules of
    ``survkit.nonparametric`` define without an underscore. Checks of arguments are left out.
    """
    found = {name: getattr(survkit.metrics, name) for name in survkit.metrics.__all__}
    found |= {one.__name__: one for one in _defined_in(survkit.nonparametric)}
    return {
        name: function
        for name, function in found.items()
        if inspect.isfunction(function)
        and not name.startswith("check_")
        and SUBJECTS & set(inspect.signature(function).parameters)
    }


def _defined_in(package: Any) -> Iterator[Callable[..., Any]]:
    for item in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = import_module(item.name)
        for name, function in vars(module).items():
            own = inspect.isfunction(function) and function.__module__ == module.__name__
            if own and not name.startswith("_"):
                yield function
