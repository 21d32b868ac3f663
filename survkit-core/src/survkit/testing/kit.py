"""What all conformance classes share: settings are a schema, and kit tests are not bent."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from survkit.errors import PluginError
from survkit.settings import check_settings

GUARD = "test_no_kit_test_is_bent"


class Kit:
    """Base of the conformance classes; a subclass says which component and how it is built."""

    component: ClassVar[Callable[..., Any]]
    """The class under test."""
    settings: ClassVar[Mapping[str, Any]] = {}
    """Its constructor settings; small ones keep the tests quick."""

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Refuse to replace the test that watches over the others."""
        super().__init_subclass__(**keywords)
        if GUARD in vars(cls):
            raise PluginError(f"{cls.__name__} may not replace {GUARD}; xfail the test you mean")

    def test_settings_are_a_schema(self) -> None:
        """Settings are keyword-only, typed, plain values, and a file gives them back unchanged."""
        component = type(self).component
        settings = check_settings(component, self.settings, where=component_name(component))
        stored = json.loads(json.dumps(settings))

        again = check_settings(component, stored, where=component_name(component))

        assert json.loads(json.dumps(again)) == stored

    def test_no_kit_test_is_bent(self) -> None:
        """A kit test is replaced or removed only by one marked xfail(strict=True, reason=...)."""
        bent = list(bent_tests(type(self)))

        assert bent == []


def component_name(component: Callable[..., Any]) -> str:
    """Return a component's name for messages."""
    return getattr(component, "__name__", repr(component))


def bent_tests(kit: type[Kit]) -> Iterator[str]:
    """Yield the kit tests that a subclass replaced or removed without a strict, reasoned xfail."""
    own = [base for base in kit.__mro__ if base.__module__.startswith("survkit.testing.")]
    for name in sorted({name for base in own for name in vars(base) if name.startswith("test_")}):
        kept = next(vars(base)[name] for base in own if name in vars(base))
        found = getattr(kit, name, None)
        if found is not kept and not _is_excused(found):
            yield name


def _is_excused(test: object) -> bool:
    marks = getattr(test, "pytestmark", [])
    return any(
        mark.name == "xfail" and mark.kwargs.get("strict") and mark.kwargs.get("reason")
        for mark in marks
    )


def assert_close(actual: object, expected: object) -> None:
    """Compare float64 results of the same mathematics in another order of summation."""
    torch.testing.assert_close(actual, expected, rtol=1e-7, atol=1e-9, equal_nan=True)


def assert_every_parameter_learns(module: nn.Module, results: list[Tensor]) -> None:
    """Assert that a random function of the results has a finite, non-zero gradient everywhere."""
    generator = torch.Generator().manual_seed(7)
    total = torch.zeros((), dtype=results[0].dtype)
    for result in results:
        total = total + (result * torch.randn(result.shape, generator=generator)).sum()
        total = total + result.square().sum()
    module.zero_grad()
    total.backward()  # type: ignore[no-untyped-call]
    trainable = {name: each for name, each in module.named_parameters() if each.requires_grad}
    without = [name for name, each in trainable.items() if each.grad is None]
    still = [
        name
        for name, each in trainable.items()
        if each.grad is not None and not bool((each.grad != 0).any() & each.grad.isfinite().all())
    ]

    assert without == [], "these parameters take no part in the result"
    assert still == [], "these parameters have a gradient of zero, NaN or infinity"


def assert_same_state(module: nn.Module, fresh: nn.Module) -> None:
    """Load the module's state strictly into a freshly built one."""
    state = {name: value.clone() for name, value in module.state_dict().items()}
    assert all(isinstance(value, Tensor) for value in state.values()), "safetensors holds tensors"
    fresh.load_state_dict(state, strict=True)
