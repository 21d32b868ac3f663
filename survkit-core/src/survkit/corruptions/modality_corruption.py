"""One corruption of one modality, with its settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from survkit.errors import ConfigError
from survkit.protocols import Corruption
from survkit.registry import Component
from survkit.settings import check_settings
from survkit.specs import InputKind


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


def check_kind(part: ModalityCorruption, kind: InputKind, where: str) -> None:
    """Refuse a corruption of another kind of input.

    Raises:
        ConfigError: It begins with ``where``.
    """
    if kind not in part.corruption.kinds:
        raise ConfigError(
            f"{where}: {part.name} applies to {' and '.join(part.corruption.kinds)}, "
            f"but '{part.modality}' is a {kind}"
        )
