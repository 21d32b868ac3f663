"""Whether a part of a trained model fits the part of the same role in a new network."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import cast

from torch import nn

from survkit.build import Part
from survkit.errors import UnknownComponentError
from survkit.hub import FittedModel
from survkit.model import SurvivalModel
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec

_WITHOUT_GRID = ("log-hazard", "weibull")
"""Parameterizations whose outputs do not stand for intervals of the time grid."""


def part_of(model: nn.Module, role: str) -> nn.Module:
    """Return the module of a role such as ``encoders.ct`` or ``head``."""
    return model.get_submodule(role)


def why_not(
    role: str,
    part: Part,
    model: SurvivalModel,
    outcome: OutcomeSpec,
    specs: Mapping[str, InputSpec],
    *,
    source: FittedModel,
    registry: Registry,
) -> str:
    """Return why the trained part of the role cannot be taken; empty where it can.

    Args:
        role: Such as ``encoders.ct``.
        part: The new network's, with its settings.
        model: The new network.
        outcome: Of the new network.
        specs: What the new encoders are given, by modality.
        source: The trained model.
        registry: Where component names are looked up.
    """
    theirs = dict(source.description.parts)
    if role not in theirs:
        return f"there is no such part, only {', '.join(theirs)}"
    if _full(theirs[role], registry) != _full(part, registry):
        return f"it is {theirs[role].name} there, not {part.name}"
    if role.startswith("encoders."):
        name = role.partition(".")[2]
        if source.description.inputs[name].columns != specs[name].columns:
            return "its columns or their levels are others there"
    if role == "head" and (reason := _other_outcome(model, outcome, source.description.outcome)):
        return reason
    return _other_shapes(part_of(model, role), part_of(source.members[0], role))


def _full(part: Part, registry: Registry) -> str:
    try:
        return registry.find(part.kind, part.name).qualified_name
    except UnknownComponentError:
        return part.name


def _other_outcome(model: SurvivalModel, mine: OutcomeSpec, theirs: OutcomeSpec) -> str:
    """Return how the outcomes differ, where that changes what the head's outputs mean."""
    if len(mine.causes) != len(theirs.causes):
        return f"it speaks of {len(theirs.causes)} causes there, not {len(mine.causes)}"
    if model.parameterization == "log-hazard":  # relative, so of any time
        return ""
    if mine.time_unit != theirs.time_unit:
        return f"its times are in {theirs.time_unit} there, not in {mine.time_unit}"
    if model.parameterization not in _WITHOUT_GRID and mine.time_grid != theirs.time_grid:
        return (
            f"its time grid is another there ({theirs.intervals} intervals up to "
            f"{theirs.horizon:g}, not {mine.intervals} up to {mine.horizon:g})"
        )
    return ""


def _other_shapes(mine: nn.Module, theirs: nn.Module) -> str:
    """Return the first tensor that does not fit.

    Buffers may take their size from what is loaded, so what cannot be told from the parameters is
    tried on a copy.
    """
    own, given = dict(mine.named_parameters()), dict(theirs.named_parameters())
    for name in own:
        if name in given and own[name].shape != given[name].shape:
            return f"{name} is {tuple(given[name].shape)} there, not {tuple(own[name].shape)}"
    try:
        deepcopy(mine).load_state_dict(theirs.state_dict(), strict=True)
    except RuntimeError as error:
        return " ".join(str(error).split()).partition(": ")[2]
    return ""


def sentence(facts: Mapping[str, object]) -> str:
    """Say in one line what a training started from, from the ``init`` of ``training.json``."""
    loaded = cast(list[str], facts["loaded"])
    fresh = cast(Mapping[str, str], facts["fresh"])
    parts = [
        f"started from {facts['source']} (sha256 {str(facts['sha256'])[:12]}): "
        f"{', '.join(loaded)} loaded ({facts['tensors']} tensors)"
    ]
    if facts["frozen"]:
        parts.append(f"{', '.join(cast(list[str], facts['frozen']))} frozen")
    parts += [f"{role} fresh, {reason}" for role, reason in fresh.items()]
    if facts["unused"]:
        parts.append(f"not used: {', '.join(cast(list[str], facts['unused']))}")
    if facts.get("unknown_exposure"):
        parts.append(_unknown(facts))
    elif facts.get("validation_seen"):
        parts.append(
            f"{facts['validation_seen']} validation subjects were seen by these weights, so the "
            "chosen epoch is too hopeful"
        )
    return "; ".join(parts)


def _unknown(facts: Mapping[str, object]) -> str:
    """Say that nobody can tell whom the weights have seen, and what follows from it."""
    names = [repr(name) for name in cast(list[str], facts["unknown_exposure"]) if name]
    of = f"of the cohort {' and '.join(names)}" if names else "of a cohort without a name"
    said = (
        "that they are other people than the subjects here rests on --different-subjects alone"
        if facts["different_subjects"]
        else "so the chosen epoch may be too hopeful"
    )
    return f"which subjects {of} these weights have seen is not known, {said}"
