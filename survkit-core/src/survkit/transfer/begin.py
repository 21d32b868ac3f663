"""Puts trained weights into the parts of a new network that they fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from survkit.build import Part, Parts
from survkit.compose import start_from_weights
from survkit.errors import ConfigError
from survkit.hub import FittedModel, load_model
from survkit.model import SurvivalModel
from survkit.registry import Registry
from survkit.specs import InputSpec, OutcomeSpec
from survkit.suggest import did_you_mean
from survkit.transfer.exposure import unknown_cohorts
from survkit.transfer.part_fit import part_of, why_not
from survkit.transfer.start import Start


@dataclass(frozen=True, slots=True)
class StartReport:
    """What was taken from a trained model.

    Attributes:
        source: Its name.
        sha256: Of its weights.
        hub: Its repository and commit; empty if it is of no Hub.
        cohorts: Names of the cohorts that the weights have seen.
        unknown: Those of the cohorts of which nobody can tell which subjects.
        others: Whether the user says that those are other people than the subjects here.
        loaded: Parts that have its weights now.
        fresh: Parts that start as the recipe says, and why.
        unused: Its parts that nothing was taken from.
        frozen: Loaded parts that keep their weights.
        tensors: How many tensors were loaded.
    """

    source: str
    sha256: str
    cohorts: tuple[str, ...]
    loaded: tuple[str, ...]
    fresh: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    tensors: int = 0
    hub: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    others: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain texts, numbers and lists, as in ``training.json``."""
        return {
            "source": self.source,
            "sha256": self.sha256,
            **({"hub": dict(self.hub)} if self.hub else {}),
            "cohorts": list(self.cohorts),
            "unknown_exposure": list(self.unknown),
            "different_subjects": self.others,
            "loaded": list(self.loaded),
            "fresh": dict(self.fresh),
            "unused": list(self.unused),
            "frozen": list(self.frozen),
            "tensors": self.tensors,
        }


def begin(
    start: Start,
    model: SurvivalModel,
    parts: Parts,
    outcome: OutcomeSpec,
    specs: Mapping[str, InputSpec],
    *,
    registry: Registry,
    member: int = 0,
) -> StartReport:
    """Load what fits into a network just built, freeze what was asked, and let the encoders that
    were left out start from their own published weights.

    A loaded part has the whole state of the trained one, scaling of its inputs included. A frozen
    part has no gradient and stays in eval mode: statistics of normalisation layers do not move, and
    its dropout is off.

    Raises:
        ConfigError: Nothing fits, or a part that was named does not.
    """
    source = load_model(start.model.folder, registry=registry)
    donor = _member(source, start, member)
    mine = {role: part for role, part in parts if list(part_of(model, role).state_dict())}
    found = {
        role: why_not(role, part, model, outcome, specs, source=source, registry=registry)
        for role, part in mine.items()
    }
    reasons = {role: reason for role, reason in found.items() if reason}
    roles = asked_parts(start, [role for role in mine if role not in reasons], mine, reasons)
    if not roles:
        said = "; ".join(f"{role}: {reason}" for role, reason in reasons.items())
        raise ConfigError(f"nothing of {start.model.name} fits this recipe ({said})")
    for role in roles:
        part_of(model, role).load_state_dict(part_of(donor, role).state_dict(), strict=True)
    start_from_weights(
        (name, one) for name, one in model.encoders.items() if f"encoders.{name}" not in roles
    )
    for role in start.freeze:
        _freeze(role, model, roles, start)
    why = {role: reasons.get(role, "not asked for") for role in mine if role not in roles}
    return _report(start, source, model, roles, why)


def _report(
    start: Start,
    source: FittedModel,
    model: SurvivalModel,
    roles: list[str],
    fresh: Mapping[str, str],
) -> StartReport:
    donor = source.members[0]
    theirs = (role for role, _ in source.description.parts)
    return StartReport(
        source=start.model.name,
        sha256=start.model.sha256,
        cohorts=tuple(start.cohorts),
        loaded=tuple(roles),
        fresh=fresh,
        unused=tuple(role for role in theirs if role not in roles and _tensors(donor, role)),
        frozen=tuple(dict.fromkeys(start.freeze)),
        tensors=sum(_tensors(model, role) for role in roles),
        hub=start.model.hub,
        unknown=unknown_cohorts(start.exposures),
        others=start.others,
    )


def _tensors(model: SurvivalModel, role: str) -> int:
    return len(part_of(model, role).state_dict())


def _member(source: FittedModel, start: Start, number: int) -> SurvivalModel:
    """Return the network of the same number, or the only one."""
    if len(source.members) == 1:
        return source.members[0]
    if number >= len(source.members):
        raise ConfigError(
            f"{start.model.name} has {len(source.members)} members, so member {number} has nothing "
            f"to start from; set training.members to {len(source.members)} or less"
        )
    return source.members[number]


def asked_parts(
    start: Start, fitting: list[str], mine: Mapping[str, Part], reasons: Mapping[str, str]
) -> list[str]:
    """Return the parts to load; those that were named must fit."""
    if not start.parts:
        return fitting
    for role in start.parts:
        if role in reasons:
            raise ConfigError(
                f"init_parts: {role} cannot start from {start.model.name}: {reasons[role]}"
            )
        if role not in mine:
            raise ConfigError(
                f"init_parts: no part with weights is named {role!r}. "
                f"{did_you_mean(role, list(mine))}"
            )
    return [role for role in fitting if role in start.parts]


def _freeze(role: str, model: SurvivalModel, loaded: list[str], start: Start) -> None:
    if role not in loaded:
        raise ConfigError(
            f"freeze: {role!r} is not among the parts that start from {start.model.name} "
            f"({', '.join(loaded)}); weights that were never trained are not frozen"
        )
    part_of(model, role).requires_grad_(False).eval()


def train_mode(model: nn.Module, report: StartReport | None) -> None:
    """Put the network into training mode but for its frozen parts."""
    model.train()
    for role in () if report is None else report.frozen:
        part_of(model, role).eval()
