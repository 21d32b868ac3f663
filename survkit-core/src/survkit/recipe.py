"""A recipe: which components, which outcome, which objective, how trained. It reads like an
experiment section.

It describes one of two things: a network (``encoders``, ``fusion``, ``head``, ``objective``), or a
classical model to set beside it (``baseline``, ``inputs``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, model_validator

from survkit.component_config import ComponentConfig, EncoderConfig, ModalityName
from survkit.errors import ConfigError
from survkit.outcome_config import OutcomeConfig
from survkit.overrides import apply_override
from survkit.registry import Registry
from survkit.safe_yaml import parse_yaml, read_yaml
from survkit.suggest import did_you_mean
from survkit.training_config import Count, NotNegative, Section, TrainingConfig
from survkit.validation import validate

_NETWORK = ("encoders", "fusion", "head", "objective")
_BASELINE = ("baseline", "inputs")
_BASELINE_TRAINING = ("seed", "validation")


class LossConfig(ComponentConfig):
    """A weighted loss; every other key is one of its settings."""

    weight: NotNegative = 1.0


class PenaltyConfig(Section):
    """A weighted mean of a per-subject penalty, named ``<encoder>.<name>`` or
    ``fusion.<name>``.
    """

    penalty: str
    weight: NotNegative = 1.0


def _form_of(term: object) -> str:
    """Return which form an entry of the objective has, so that it is told what that form needs."""
    if isinstance(term, PenaltyConfig):
        return "PenaltyConfig"
    penalty = isinstance(term, Mapping) and "penalty" in term and "use" not in term
    return "PenaltyConfig" if penalty else "LossConfig"


_Term = Annotated[
    Annotated[LossConfig, Tag("LossConfig")] | Annotated[PenaltyConfig, Tag("PenaltyConfig")],
    Discriminator(_form_of),
]


class InputConfig(Section):
    """A modality that a baseline reads.

    Attributes:
        modality: Of the cohort: a table, or one embedding per subject.
        components: Principal components of an embedding to keep; all its entries where ``None``.
    """

    modality: ModalityName
    components: Count | None = None

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        return {"modality": data} if isinstance(data, str) else data


class Recipe(Section):
    """What an experiment is, apart from its cohort.

    Attributes:
        title: One line for the report.
        encoders: By name: that of the modality of the cohort which is read, or any other, with
            ``modality``.
        fusion: How modalities are joined.
        head: What is predicted from the joined embedding.
        baseline: A classical model instead of encoders, fusion, head and objective.
        inputs: The modalities that the baseline reads.
        outcome: Horizon and time grid.
        objective: Weighted losses and penalties.
        training: How it is trained. A baseline has a ``seed``, and a ``validation`` share that only
            keeps the division equal to a network's: it is fitted on those subjects too.
        search: Dotted path of this recipe → values among which each training part chooses, by
            inner cross-validation; see ``training.search_folds`` (a baseline divides by itself).
    """

    title: str = ""
    encoders: Annotated[dict[ModalityName, EncoderConfig], Field(min_length=1)] = Field(
        default_factory=dict
    )
    fusion: ComponentConfig = ComponentConfig(use="concat")
    head: ComponentConfig | None = None
    baseline: ComponentConfig | None = None
    inputs: Annotated[list[InputConfig], Field(min_length=1)] = Field(default_factory=list)
    outcome: OutcomeConfig
    objective: Annotated[list[_Term], Field(min_length=1)] = Field(default_factory=list)
    training: TrainingConfig = TrainingConfig()
    search: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_form(self) -> Recipe:
        """A network or a baseline, whole, and nothing of the other."""
        given = self.model_fields_set
        for name in ("head", "baseline"):
            if name in given and getattr(self, name) is None:
                raise ValueError(f"{name}: a component's name or its settings, not null")
        needed, foreign = (_BASELINE, _NETWORK) if self.baseline else (_NETWORK, _BASELINE)
        for name in foreign:
            if name in given:
                kind = "baseline" if self.baseline else "network"
                raise ValueError(
                    f"{name} has no place in the recipe of a {kind}: give either "
                    f"{', '.join(_NETWORK)} or {' and '.join(_BASELINE)}"
                )
        for name in needed:
            if name not in given and name != "fusion":
                raise ValueError(f"the key '{name}' is required and missing")
        if self.baseline:
            _check_baseline_keys(self)
        for number, one in enumerate(self.training.corruptions):
            if one.modality not in self.modalities:
                raise ValueError(
                    f"training.corruptions.{number}: the recipe has no modality '{one.modality}'. "
                    f"{did_you_mean(one.modality, self.modalities)}"
                )
        return self

    @property
    def modalities(self) -> tuple[str, ...]:
        """Modalities of the cohort that are read, each once, in the order of writing."""
        return tuple(self.readers) or tuple(item.modality for item in self.inputs)

    @property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """Names of the encoders that read it, by modality of the cohort."""
        found: dict[str, tuple[str, ...]] = {}
        for name, encoder in self.encoders.items():
            modality = encoder.modality or name
            found[modality] = (*found.get(modality, ()), name)
        return found

    @property
    def twins(self) -> dict[str, str]:
        """Modalities of the encoders that are not named after theirs, by encoder."""
        given = {name: encoder.modality for name, encoder in self.encoders.items()}
        return {name: read for name, read in given.items() if read and read != name}

    @model_validator(mode="before")
    @classmethod
    def _short_objective(cls, data: Any) -> Any:
        """A single loss may be written without a list, and a loss without settings as its name."""
        if not isinstance(data, dict) or "objective" not in data:
            return data
        objective = data["objective"]
        items = objective if isinstance(objective, list) else [objective]
        return data | {"objective": [_objective_item(item) for item in items]}

    @classmethod
    def parse(cls, data: object, *, source: str, overrides: Sequence[str] = ()) -> Recipe:
        """Validate plain data after applying ``path=value`` overrides.

        Raises:
            ConfigError: One line with the source, the key, what was expected and what came.
        """
        for override in overrides:
            data = apply_override(data, override, source=source)
        recipe = validate(cls, data, source=source)
        for path, values in recipe.search.items():
            for value in values:  # every candidate must be a recipe, found before hours of training
                one = recipe.with_value(path, value, source=f"{source}: search.{path}")
                _check_same_twins(recipe, one, source=f"{source}: search.{path}")
        return recipe

    @classmethod
    def read(
        cls, name: str | Path, *, registry: Registry | None = None, overrides: Sequence[str] = ()
    ) -> Recipe:
        """Read a recipe file, or one that a plugin ships, by its registry name.

        Args:
            name: A path that exists or ends in .yaml or .yml, else a registered name such as
                ``slicetention/lung1``.
            registry: Where names are looked up; the process-wide one by default.
            overrides: ``path=value`` texts, the value in YAML.
        """
        path = Path(name)
        if path.suffix in {".yaml", ".yml"} or path.is_file():
            return cls.parse(read_yaml(path), source=str(path), overrides=overrides)
        if registry is None:
            from survkit.plugins import default_registry

            registry = default_registry()
        text = registry.find("recipe", str(name)).load()
        return cls.parse(
            parse_yaml(text, source=f"recipe {name}"), source=f"recipe {name}", overrides=overrides
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that :meth:`parse` reads back to an equal recipe."""
        if self.baseline is None:
            return self.model_dump(mode="json", exclude={*_BASELINE})
        data = self.model_dump(mode="json", exclude={*_NETWORK})
        return data | {"training": {key: data["training"][key] for key in _BASELINE_TRAINING}}

    def to_yaml(self) -> str:
        """Return the recipe, with every default filled in, as YAML."""
        import yaml

        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True)

    def with_value(self, path: str, value: object, *, source: str = "recipe") -> Recipe:
        """Return the recipe with the value at a dotted path replaced, validated anew and without
        its search.
        """
        import json

        data = self.to_dict() | {"search": {}}
        return Recipe.parse(data, source=source, overrides=[f"{path}={json.dumps(value)}"])


def _check_same_twins(recipe: Recipe, candidate: Recipe, *, source: str) -> None:
    """Refuse a search over what is read: its candidates would be models of other data."""
    if candidate.twins != recipe.twins:
        raise ConfigError(
            f"{source}: a search changes no encoder's modality; write a recipe for each, and "
            "compare their runs"
        )


def _check_baseline_keys(recipe: Recipe) -> None:
    """Refuse what a baseline would silently ignore."""
    strange = sorted(recipe.training.model_fields_set - {*_BASELINE_TRAINING})
    if strange:
        raise ValueError(
            f"training.{strange[0]} means nothing to a baseline, which has "
            f"{' and '.join(f'training.{key}' for key in _BASELINE_TRAINING)} only; leave it out"
        )
    names = [item.modality for item in recipe.inputs]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(f"inputs: the modality '{doubled[0]}' stands twice")
    for path in recipe.search:
        if path.partition(".")[0] not in _BASELINE:
            raise ValueError(
                f"search.{path}: a baseline searches values of {' and '.join(_BASELINE)}, such as "
                "baseline.l1_ratio or inputs.0.components"
            )


def _objective_item(item: object) -> object:
    """Return the model that an item of the objective means, so that its errors speak of that model
    alone.
    """
    if isinstance(item, str):
        return {"use": item}
    if isinstance(item, dict) and ("use" in item) == ("penalty" in item):
        raise ConfigError(
            f"an item of the objective has either 'use' (a loss) or 'penalty', but found {item}"
        )
    return item
