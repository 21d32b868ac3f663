"""From component names to a network: find, check settings, construct, in the order data flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from torch import nn

from survkit.errors import CompositionError, ConfigError, UserError
from survkit.model import SurvivalModel
from survkit.protocols import Encoder, Fusion
from survkit.registry import Component, Registry
from survkit.settings import check_settings
from survkit.specs import InputSpec, OutcomeSpec


@dataclass(frozen=True, slots=True)
class Part:
    """A component and the settings it is built with.

    Attributes:
        kind: Registry kind.
        name: Registry name, as written or in full.
        settings: Constructor settings; every default is filled in once it was built.
    """

    kind: str
    name: str
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parts:
    """The components of a network by their role."""

    encoders: Mapping[str, Part]
    fusion: Part
    head: Part

    def __iter__(self) -> Any:
        """Iterate over all parts with their role, such as ``("encoders.ct", part)``."""
        yield from ((f"encoders.{name}", part) for name, part in self.encoders.items())
        yield "fusion", self.fusion
        yield "head", self.head


def build_model(
    parts: Parts, specs: Mapping[str, InputSpec], outcome: OutcomeSpec, registry: Registry
) -> tuple[SurvivalModel, Parts]:
    """Build the network, and return it with its parts under their full names and with all defaults.

    Raises:
        UnknownComponentError: A name is not registered.
        ConfigError: A setting is wrong, or a modality has no input.
        CompositionError: A component refuses what the one before it gives.
    """
    encoders: dict[str, nn.Module] = {}
    named: dict[str, Part] = {}
    for modality, part in parts.encoders.items():
        if modality not in specs:
            raise ConfigError(
                f"encoders.{modality}: there is no such modality; "
                f"the cohort has {', '.join(sorted(specs)) or 'none'}"
            )
        encoders[modality], named[modality] = build_part(
            part, registry, specs[modality], role=f"encoders.{modality}"
        )
    encodings = {name: cast(Encoder, encoder).encoding for name, encoder in encoders.items()}
    fusion, fusion_part = build_part(parts.fusion, registry, encodings, role="fusion")
    width = cast(Fusion, fusion).dim
    head, head_part = build_part(parts.head, registry, width, outcome, role="head")
    model = SurvivalModel(encoders=encoders, fusion=fusion, head=head)
    return model, Parts(encoders=named, fusion=fusion_part, head=head_part)


def build_part(part: Part, registry: Registry, *given: object, role: str) -> tuple[Any, Part]:
    """Build one component from what flows into it; errors name its role and its component."""
    component = registry.find(part.kind, part.name)
    constructor = cast(Callable[..., Any], component.load())
    where = f"{role} ({component.full_name})"
    settings = check_settings(constructor, part.settings, where=where)
    try:
        built = constructor(*given, **settings)
    except UserError as error:
        raise CompositionError(f"{where}: {error}") from error
    return built, Part(kind=part.kind, name=component.full_name, settings=settings)


def provider(part: Part, registry: Registry) -> Component:
    """Return the registry entry behind a part, which knows its distribution and version."""
    return registry.find(part.kind, part.name)
