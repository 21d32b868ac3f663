"""One corruption of one modality, and how it is written: ``ct:gaussian-noise:sigma=0.1``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from survkit.errors import ConfigError
from survkit.protocols import Corruption
from survkit.registry import Component, Registry
from survkit.safe_yaml import parse_yaml
from survkit.settings import check_settings
from survkit.specs import InputKind
from survkit.suggest import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class ModalityCorruption:
    """A corruption with its settings, applied to one modality.

    Attributes:
        modality: What is corrupted.
        name: Full registry name of the corruption.
        settings: All of them, with defaults.
        corruption: What is called.
        severity: Name of the level, where the settings are those of one, else the settings in
            words.
        levels: The same corruption at its named severities, for pictures.
    """

    modality: str
    name: str
    settings: Mapping[str, Any]
    corruption: Corruption
    severity: str
    levels: Mapping[str, Corruption]

    @property
    def words(self) -> str:
        """The settings, ``sigma=0.1``."""
        return in_words(self.settings)

    @property
    def label(self) -> str:
        """What a table calls it."""
        return f"{self.modality}: {self.name}" + (f" ({self.words})" if self.settings else "")

    @property
    def key(self) -> str:
        """A name that a file may have; different scenarios have different ones."""
        text = ".".join([self.modality, self.name, self.words.replace(", ", ".")]).strip(".")
        return re.sub(r"[^A-Za-z0-9._=+-]", "-", text)


def in_words(settings: Mapping[str, Any]) -> str:
    """Return settings as they are written in a label: ``sigma=0.1, unit=mm``."""
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def parse_part(text: str, kinds: Mapping[str, InputKind], registry: Registry) -> ModalityCorruption:
    """Read ``modality:corruption``, with a level or settings: ``pet:poisson-noise:counts=50``.

    Args:
        text: What was asked.
        kinds: Kind of each modality of the model.
        registry: Where the corruption is looked up.

    Raises:
        ConfigError: It is written otherwise, the model has no such modality, a setting is wrong, or
            the corruption does not apply to that kind of input.
        UnknownComponentError: There is no such corruption.
    """
    modality, _, rest = text.partition(":")
    name, _, given = rest.partition(":")
    if not modality or not name:
        raise ConfigError(
            "a corruption is written modality:name or modality:name:setting=value,…, such as "
            f"ct:gaussian-noise:sigma=0.1, not {text!r}"
        )
    if modality not in kinds:
        raise ConfigError(
            f"{text}: the model has no modality '{modality}'. {did_you_mean(modality, kinds)}"
        )
    component = registry.find("corruption", name)
    settings = _settings(given, component, text)
    part = build_part(component, modality, settings)
    if kinds[modality] not in part.corruption.kinds:
        raise ConfigError(
            f"{text}: {component.full_name} applies to {' and '.join(part.corruption.kinds)}, "
            f"but '{modality}' is a {kinds[modality]}"
        )
    return part


def build_part(
    component: Component, modality: str, settings: Mapping[str, object]
) -> ModalityCorruption:
    """Build the corruption with checked settings."""
    constructor = component.load()
    where = f"corruption {component.full_name!r}"
    checked = check_settings(constructor, settings, where=where)
    corruption = cast(Corruption, constructor(**checked))
    levels = {
        level: check_settings(constructor, given, where=where)
        for level, given in corruption.levels.items()
    }
    named = [level for level, given in levels.items() if given == checked]
    return ModalityCorruption(
        modality=modality,
        name=component.full_name,
        settings=checked,
        corruption=corruption,
        severity=named[0] if named else in_words(checked) or "all",
        levels={level: constructor(**given) for level, given in levels.items()},
    )


def _settings(given: str, component: Component, text: str) -> dict[str, object]:
    """Return the settings that a level or ``name=value`` pairs mean."""
    if not given:
        return {}
    levels = component.load().levels
    if "=" not in given:
        if given not in levels:
            raise ConfigError(
                f"{text}: {given!r} is neither a level nor setting=value. "
                f"{did_you_mean(given, levels)}"
            )
        return dict(levels[given])
    settings: dict[str, object] = {}
    for pair in given.split(","):
        name, equals, value = pair.partition("=")
        if not equals or not name or name in settings:
            raise ConfigError(f"{text}: settings are written name=value, each once, not {pair!r}")
        settings[name] = parse_yaml(value, source=text)
    return settings
