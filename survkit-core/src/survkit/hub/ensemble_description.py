"""What an ensemble is, apart from its weights: the descriptions of several models in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from survkit.hub.description import FORMAT, ModelDescription, training_facts

ENSEMBLE_FORMAT = "survkit-ensemble/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleDescription:
    """The models of several folds, which differ in what was fitted in each.

    Attributes:
        models: One whole description per model.
        training: Facts of all of them together, such as which run they are of.
    """

    models: tuple[ModelDescription, ...]
    training: Mapping[str, Any]

    def summary(self) -> ModelDescription:
        """Return what they have in common as the description of one model.

        Time grid, settings and levels of columns, which are each fold's own, are those of the
        first; ``members`` is the number of all networks.
        """
        return replace(
            self.models[0],
            members=sum(one.members for one in self.models),
            providers={name: one for each in self.models for name, one in each.providers.items()},
            training=self.training,
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain data that :meth:`from_json` reads back to an equal description."""
        return {
            "format": ENSEMBLE_FORMAT,
            "models": [one.to_json() for one in self.models],
            "training": dict(self.training),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> EnsembleDescription:
        """Read plain data.

        Raises:
            KeyError: A key is missing; other wrong data raise TypeError, ValueError or
                AttributeError.
            ValueError: There is no model, one of another format, or they differ in what all of an
                ensemble share.
        """
        entries = data["models"]
        if not isinstance(entries, list) or not entries:
            raise ValueError("models is a list of one model or more")
        for number, entry in enumerate(entries):
            if entry["format"] != FORMAT:
                raise ValueError(f"the format of model {number} is not '{FORMAT}'")
        models = tuple(ModelDescription.from_json(entry) for entry in entries)
        different = difference(models)
        if different is not None:
            what, number = different
            raise ValueError(f"models 0 and {number} differ in {what}")
        return cls(models=models, training=training_facts(data["training"]))


def difference(models: Sequence[ModelDescription]) -> tuple[str, int] | None:
    """Return in what models differ that have to agree to be one ensemble, and which the first is
    that does; ``None`` where they agree.

    They predict the same causes up to the same horizon, from the same modalities, with the same
    components. Settings, time grids, scalers and levels may be each one's own.
    """
    first = models[0]
    for number, other in enumerate(models):
        if _outcome(other) != _outcome(first):
            return "causes, horizon or unit of time", number
        if dict(other.twins) != dict(first.twins) or {*other.inputs} != {*first.inputs}:
            return "the modalities that they read", number
        if _components(other) != _components(first):
            mine, theirs = _components(first), _components(other)
            role = next(one for one in (*mine, *theirs) if mine.get(one) != theirs.get(one))
            return f"{role} ({mine.get(role, 'none')} or {theirs.get(role, 'none')})", number
    return None


def _outcome(model: ModelDescription) -> tuple[object, ...]:
    outcome = model.outcome
    return outcome.causes, outcome.horizon, outcome.time_unit


def _components(model: ModelDescription) -> dict[str, str]:
    return {role: part.name for role, part in model.parts}
