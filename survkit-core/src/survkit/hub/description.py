"""What a model is, apart from its weights: the content of ``config.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from survkit.build import Part, Parts
from survkit.specs import ColumnSpec, InputSpec, OutcomeSpec

FORMAT = "survkit-model/1"


@dataclass(frozen=True, slots=True)
class Provider:
    """The distribution that a component came from."""

    distribution: str
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDescription:
    """Everything that is needed to build the network anew, and to know where it came from.

    Attributes:
        parts: Components under their full registry names, with all settings.
        providers: By full name.
        outcome: Causes, horizon and time grid.
        inputs: What each encoder is given, by its name; levels of columns are those of training.
        preparation: The cohort file's declaration of what each encoder reads, by its name.
        members: Number of networks whose predictions are averaged.
        training: Facts of the training: recipe, seed, hash of the splits, cohort, chosen epochs.
        api_version: Of the plugin interface.
        twins: By the name of an encoder, the modality of the cohort that it reads; of those alone
            that are not named after theirs.
    """

    parts: Parts
    providers: Mapping[str, Provider]
    outcome: OutcomeSpec
    inputs: Mapping[str, InputSpec]
    preparation: Mapping[str, Mapping[str, Any]]
    members: int
    training: Mapping[str, Any] = field(default_factory=dict)
    api_version: str
    twins: Mapping[str, str] = field(default_factory=dict)

    def modality_of(self, encoder: str) -> str:
        """Return the modality of the cohort that an encoder reads."""
        return self.twins.get(encoder, encoder)

    @property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """Names of the encoders that read it, by modality of the cohort."""
        found: dict[str, tuple[str, ...]] = {}
        for name in self.inputs:
            modality = self.modality_of(name)
            found[modality] = (*found.get(modality, ()), name)
        return found

    def to_json(self) -> dict[str, Any]:
        """Return plain data that :meth:`from_json` reads back to an equal description."""
        return {
            "format": FORMAT,
            "api_version": self.api_version,
            "components": {role: self._part(part) for role, part in self.parts},
            "outcome": asdict(self.outcome),
            "inputs": {name: asdict(spec) for name, spec in self.inputs.items()},
            "preparation": {name: dict(value) for name, value in self.preparation.items()},
            "members": self.members,
            "training": dict(self.training),
            **({"twins": dict(self.twins)} if self.twins else {}),
        }

    def _part(self, part: Part) -> dict[str, Any]:
        provider = self.providers[part.name]
        return {
            "use": part.name,
            "settings": dict(part.settings),
            "distribution": provider.distribution,
            "version": provider.version,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelDescription:
        """Read plain data; a missing key or wrong type raises KeyError or TypeError."""
        components = data["components"]
        encoders = {
            role.removeprefix("encoders."): _part("encoder", entry)
            for role, entry in components.items()
            if role.startswith("encoders.")
        }
        return cls(
            parts=Parts(
                encoders=encoders,
                fusion=_part("fusion", components["fusion"]),
                head=_part("head", components["head"]),
            ),
            providers={
                entry["use"]: Provider(entry["distribution"], entry["version"])
                for entry in components.values()
            },
            outcome=_outcome(data["outcome"]),
            inputs={name: _input(spec) for name, spec in data["inputs"].items()},
            preparation={str(name): _mapping(one) for name, one in data["preparation"].items()},
            members=_count(data["members"]),
            training=training_facts(data["training"]),
            api_version=str(data["api_version"]),
            twins={str(name): str(read) for name, read in data.get("twins", {}).items()},
        )


def training_facts(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a training; those that hold facts themselves do.

    Raises:
        TypeError: They do not.
    """
    for key in _HOLD_FACTS:
        if key in data:
            _mapping(data[key])
    for one in data.get("files", {}).values():
        _mapping(one)
    return _mapping(data)


_HOLD_FACTS = ("final", "demonstration", "recipe", "init", "files")


def _mapping(data: object) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise TypeError(f"keys and values are expected, not {str(data)[:40]!r}")
    return dict(data)


def _part(kind: str, entry: Mapping[str, Any]) -> Part:
    return Part(kind=kind, name=entry["use"], settings=dict(entry["settings"]))


def _count(members: object) -> int:
    if type(members) is not int or members < 1:
        raise ValueError(f"members is a whole number from 1, not {members!r}")
    return members


def _outcome(data: Mapping[str, Any]) -> OutcomeSpec:
    if not all(isinstance(cause, str) for cause in data["causes"]):
        raise TypeError("causes are texts")
    return OutcomeSpec(
        **{**data, "causes": tuple(data["causes"]), "time_grid": tuple(data["time_grid"])}
    )


def _input(data: Mapping[str, Any]) -> InputSpec:
    columns = tuple(
        ColumnSpec(column["name"], None if column["levels"] is None else tuple(column["levels"]))
        for column in data["columns"]
    )
    spacing = None if data["spacing"] is None else tuple(data["spacing"])
    shape = tuple(data["shape"])
    return InputSpec(**{**data, "columns": columns, "shape": shape, "spacing": spacing})
