"""Puts trained weights into encoders that prepare, before there is a network to train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from torch import nn

from survkit.build import Part
from survkit.compose import start_from_weights
from survkit.errors import ConfigError
from survkit.hub import load_model
from survkit.model import SurvivalModel
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec
from survkit.transfer.begin import asked_parts
from survkit.transfer.find_source import find_source
from survkit.transfer.part_fit import part_of, why_not
from survkit.transfer.source_model import find_sources
from survkit.transfer.start import Start, StartSettings

_NO_OUTCOME = cast(OutcomeSpec, None)  # what a head means is all that it decides


def begin_encoders(
    settings: StartSettings,
    encoders: Mapping[str, nn.Module],
    parts: Mapping[str, Part],
    specs: Mapping[str, InputSpec],
    *,
    registry: Registry,
) -> str:
    """Load what fits, and let the other encoders start from their own published weights; return the
    name of the trained model and what was taken, in words.

    As :func:`survkit.transfer.begin.begin` does for a whole network; of a model of several members
    the first is taken. Parts that are no encoders are passed over: they prepare nothing.

    Raises:
        ConfigError: Nothing fits, or an encoder that was named does not.
        RunError: There is no such model.
        HubError: There is none on the Hub.
    """
    place = find_source(settings.source, settings.revision)
    assert place is not None
    (model,) = find_sources(place, None, ["prepare"])
    source = load_model(model.folder, registry=registry)
    wanted = tuple(role for role in settings.parts if role not in ("fusion", "head"))
    if settings.parts and not wanted:
        raise ConfigError(
            f"init_parts: {', '.join(settings.parts)} prepares nothing; name encoders, or leave "
            "out --init-from"
        )
    holder = SurvivalModel(encoders=encoders, fusion=nn.Identity(), head=nn.Identity())
    roles = {f"encoders.{name}": part for name, part in parts.items()}
    roles = {role: part for role, part in roles.items() if part_of(holder, role).state_dict()}
    found = {
        role: why_not(role, part, holder, _NO_OUTCOME, specs, source=source, registry=registry)
        for role, part in roles.items()
    }
    reasons = {role: reason for role, reason in found.items() if reason}
    start = Start(model, wanted, (), ())
    taken = asked_parts(start, [role for role in roles if role not in reasons], roles, reasons)
    if not taken:
        said = "; ".join(f"{role}: {reason}" for role, reason in reasons.items())
        raise ConfigError(f"no encoder of {model.name} fits this recipe ({said})")
    for role in taken:
        state = part_of(source.members[0], role).state_dict()
        part_of(holder, role).load_state_dict(state, strict=True)
    start_from_weights((n, one) for n, one in encoders.items() if f"encoders.{n}" not in taken)
    return f"with the weights of {model.name}: {', '.join(taken)}"
