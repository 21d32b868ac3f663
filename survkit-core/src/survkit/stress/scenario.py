"""What is done to a subject: a corruption of one modality, or of several at the same time."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from survkit.corruptions.modality_corruption import ModalityCorruption
from survkit.errors import ConfigError
from survkit.registry import Registry
from survkit.specs import InputKind
from survkit.stress.parse_part import parse_part

BETWEEN = " + "
"""Stands between the parts of a joint scenario in every text about it."""
LONGEST_KEY = 180
"""File systems take names of 255 bytes, and a seed and an ending come after the key."""

_PLUS = re.compile(r"\+(?!\d)")  # 1e+3 is a number; no modality begins with a digit


@dataclass(frozen=True, slots=True)
class Scenario:
    """One row of the results.

    A subject whose turn it is meets all parts; who lacks the modality of one meets the others.

    Attributes:
        parts: One per modality, in the order of the model's modalities.
    """

    parts: tuple[ModalityCorruption, ...]

    @property
    def modalities(self) -> tuple[str, ...]:
        """What is corrupted."""
        return tuple(part.modality for part in self.parts)

    @property
    def modality(self) -> str:
        """The modality, ``ct``, or all of them, ``ct + pet``."""
        return BETWEEN.join(self.modalities)

    @property
    def name(self) -> str:
        """Full registry names of the corruptions, ``gaussian-noise + poisson-noise``."""
        return BETWEEN.join(part.name for part in self.parts)

    @property
    def severity(self) -> str:
        """The level, said once where the parts have the same."""
        return BETWEEN.join(dict.fromkeys(part.severity for part in self.parts))

    @property
    def settings(self) -> dict[str, Any]:
        """All settings, with defaults; of a joint scenario by modality."""
        if len(self.parts) == 1:
            return dict(self.parts[0].settings)
        return {part.modality: dict(part.settings) for part in self.parts}

    @property
    def stochastic(self) -> bool:
        """Whether some part is random."""
        return any(part.corruption.stochastic for part in self.parts)

    @property
    def label(self) -> str:
        """What a table calls it."""
        return BETWEEN.join(part.label for part in self.parts)

    @property
    def key(self) -> str:
        """A name that a file may have; different scenarios have different ones."""
        text = "+".join(part.key for part in self.parts)
        if len(self.parts) == 1 or len(text) <= LONGEST_KEY:
            return text
        return f"{text[:LONGEST_KEY]}.{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def split_scenario(text: str) -> list[str]:
    """Return the parts of ``"ct:gaussian-noise + pet:poisson-noise"``, unread.

    Raises:
        ConfigError: Nothing is on one side of a plus sign.
    """
    asked = [each.strip() for each in _PLUS.split(text)]
    if len(asked) > 1 and not all(asked):
        raise ConfigError(
            "a plus sign stands between two corruptions, such as "
            f"ct:gaussian-noise + pet:poisson-noise, but nothing is on one side of it in {text!r}"
        )
    return asked


def parse_scenario(text: str, kinds: Mapping[str, InputKind], registry: Registry) -> Scenario:
    """Read ``ct:gaussian-noise:sigma=0.1``, or several joined by plus signs.

    The order in which parts are written means nothing.

    Args:
        text: What was asked.
        kinds: Kind of each modality of the model.
        registry: Where corruptions are looked up.

    Raises:
        ConfigError: A part is empty or written otherwise, the model has no such modality, a
            modality comes twice, a setting is wrong, or a corruption does not apply to that kind of
            input.
        UnknownComponentError: There is no such corruption.
    """
    parts: dict[str, ModalityCorruption] = {}
    for each in split_scenario(text):
        part = parse_part(each, kinds, registry)
        if part.modality in parts:
            raise ConfigError(
                f"{text}: '{part.modality}' is in it twice; corruptions that are joined are of "
                "different modalities"
            )
        parts[part.modality] = part
    return Scenario(tuple(parts[name] for name in kinds if name in parts))
