"""Which phantoms a recipe is demonstrated on: a YAML file of the distribution that has the recipe.

It is registered under the kind ``demonstration`` and the name of its recipe, so that the core knows
no plugin by name::

    phantom: {size: 32, modalities: [ct, pet], effects: {size: 1.4, uptake: 1.4}}
    subjects: {training: 600, fresh: 400}
    changes: [training.epochs=45]
    quick: {subjects: {training: 60, fresh: 40}, changes: [training.epochs=2]}
"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

from pydantic import Field, model_validator

from survkit.errors import ConfigError
from survkit.phantom import PhantomConfig
from survkit.phantom.truth import FACTORS, CauseEffects
from survkit.registry import Registry
from survkit.safe_yaml import parse_yaml
from survkit.suggest import did_you_mean
from survkit.training_config import Section
from survkit.validation import validate

KIND = "demonstration"
_NOT_HERE = ("subjects", "seed", "baseline")
"""Settings of a phantom cohort that the demonstration says elsewhere, or that are no plain data."""


class Subjects(Section):
    """How many subjects there are.

    Attributes:
        training: In the cohort that the model is trained on.
        fresh: In the cohort that it is tested on, and that nothing else sees.
    """

    training: Annotated[int, Field(ge=10)]
    fresh: Annotated[int, Field(ge=10)]


class Size(Section):
    """How much is trained.

    Attributes:
        subjects: Of both cohorts.
        changes: Of the recipe, as ``path=value``.
    """

    subjects: Subjects
    changes: list[str] = Field(default_factory=list)


class Demonstration(Section):
    """How a recipe is trained on phantoms.

    Attributes:
        phantom: Settings of the cohorts, as :class:`survkit.phantom.PhantomConfig` names them, but
            for ``subjects``, ``seed`` and ``baseline``; ``effects`` are those on the one cause, by
            factor.
        subjects: Of both cohorts.
        changes: Of the recipe, as ``path=value``.
        quick: The same at a size for tests: seconds, and nothing that is worth a look.
    """

    phantom: dict[str, Any]
    subjects: Subjects
    changes: list[str] = Field(default_factory=list)
    quick: Size

    @model_validator(mode="after")
    def _phantom_exists(self) -> Demonstration:
        """Cohorts of these settings can be made, which is found before hours of training."""
        try:
            self.phantom_config(self.subjects.training, seed=0)
        except ConfigError as error:
            raise ValueError(f"phantom: {error}") from error
        return self

    def size(self, *, quick: bool) -> Size:
        """Return how much is trained."""
        return self.quick if quick else Size(subjects=self.subjects, changes=self.changes)

    def phantom_config(self, subjects: int, *, seed: int) -> PhantomConfig:
        """Return the settings of one cohort.

        Raises:
            ConfigError: A setting is unknown or out of range.
        """
        known = [item.name for item in fields(PhantomConfig) if item.name not in _NOT_HERE]
        for name in self.phantom:
            if name not in known:
                raise ConfigError(f"no setting is named {name!r}. {did_you_mean(name, known)}")
        settings = {key: _tuple(value) for key, value in self.phantom.items()}
        if "effects" in settings:
            settings["effects"] = (_effects(settings["effects"]),)
        try:
            return PhantomConfig(**settings, subjects=subjects, seed=seed)
        except (TypeError, AttributeError) as error:
            raise ConfigError(f"a setting is of the wrong type ({error})") from error

    @classmethod
    def parse(cls, data: object, *, source: str) -> Demonstration:
        """Validate plain data.

        Raises:
            ConfigError: One line with the source, the key, what was expected and what came.
        """
        return validate(cls, data, source=source)

    @classmethod
    def read(cls, name: str, registry: Registry) -> Demonstration:
        """Read the demonstration of a recipe.

        Raises:
            UnknownComponentError: The recipe has none, or there is no such recipe.
            ConfigError: It does not follow the schema.
        """
        found = registry.find(KIND, name)
        source = f"{KIND} {found.full_name}"
        return cls.parse(parse_yaml(found.load(), source=source), source=source)


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _effects(value: Any) -> CauseEffects:
    if not isinstance(value, dict):
        raise ConfigError(f"effects are numbers by factor, such as {{size: 1.5}}, not {value!r}")
    for name, effect in value.items():
        if name not in FACTORS:
            raise ConfigError(f"effects: no factor is {name!r}. {did_you_mean(str(name), FACTORS)}")
        if isinstance(effect, bool) or not isinstance(effect, int | float):
            raise ConfigError(f"effects: {name} is a number, not {effect!r}")
    return CauseEffects(**value)
