"""How a corruption of a modality is written: ``ct:gaussian-noise:sigma=0.1``."""

from __future__ import annotations

from collections.abc import Mapping

from survkit.corruptions.modality_corruption import ModalityCorruption, build_part, check_kind
from survkit.errors import ConfigError
from survkit.registry import Component, Registry
from survkit.safe_yaml import parse_yaml
from survkit.specs import InputKind
from survkit.suggest import did_you_mean


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
    check_kind(part, kinds[modality], text)
    return part


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
