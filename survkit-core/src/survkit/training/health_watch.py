"""How modules fare over the epochs, and what they warned of."""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from survkit.errors import DivergedError, PluginError
from survkit.protocols import Health, TellsHealth

log = logging.getLogger("survkit.training")

_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(slots=True)
class HealthWatch:
    """The modules of a network that say how they fare.

    Attributes:
        tellers: By the name of their part, such as ``ct`` or ``fusion``, and where a part has
            several, what tells them apart: ``ct.0``.
        warnings: By the same name, as ``training.json`` has it: ``module``, ``first_epoch``,
            ``last_epoch``, in how many ``epochs``, and the last ``warning``.
    """

    tellers: Mapping[str, TellsHealth]
    warnings: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: nn.Module) -> HealthWatch:
        """Find them at any depth."""
        found = {
            path: module
            for path, module in model.named_modules()
            if isinstance(module, TellsHealth)
        }
        return cls(dict(zip(_names(tuple(found)), found.values(), strict=True)))

    def read(self, epoch: int, *, loud: bool) -> dict[str, float]:
        """Ask every module, once per epoch, and return the values by ``<part>.<name>``.

        The first warning of a module is logged, the others are counted.

        Args:
            epoch: Counted from 0.
            loud: Whether this process logs.

        Raises:
            DivergedError: A value is not finite.
            PluginError: A module gives something that is no health.
        """
        values: dict[str, float] = {}
        for name, module in self.tellers.items():
            health = module.epoch_health()
            if health is None:
                continue
            _check(health, name, epoch)
            values |= {f"{name}.{quantity}": value for quantity, value in health.values.items()}
            if health.warning:
                if loud and name not in self.warnings:
                    log.warning("%s, epoch %d: %s", name, epoch, health.warning)
                self._note(name, epoch, health.warning)
        return values

    def state(self) -> list[dict[str, Any]] | None:
        """Return the warnings; ``None`` where no module says how it fares."""
        return list(self.warnings.values()) if self.tellers else None

    def take(self, state: list[dict[str, Any]] | None) -> None:
        """Go on from the warnings of the interrupted run."""
        self.warnings = {str(one["module"]): dict(one) for one in state or ()}

    def _note(self, name: str, epoch: int, warning: str) -> None:
        known = self.warnings.get(name, {"module": name, "first_epoch": epoch, "epochs": 0})
        told = {"last_epoch": epoch, "epochs": known["epochs"] + 1, "warning": warning}
        self.warnings[name] = known | told


def _names(paths: Sequence[str]) -> Sequence[str]:
    """Return for each path the shortest name that is its own.

    That is the name of its part, and where several in a part tell, the shortest end of the path
    inside the part that no other has.
    """
    split = [_split(path) for path in paths]
    names = []
    for part, inside in split:
        others = [f".{one}" for of, one in split if of == part and one != inside]
        words = inside.split(".")
        ends = [".".join(words[-count:]) for count in range(1, len(words) + 1)]
        alone = (end for end in ends if not any(one.endswith(f".{end}") for one in others))
        names.append(f"{part}.{next(alone, inside)}" if others and inside else part)
    return names if len(set(names)) == len(names) else paths


def _split(path: str) -> tuple[str, str]:
    """Return the part, as penalties name it, and the path inside it."""
    first, _, rest = path.removeprefix("encoders.").partition(".")
    return first, rest


def _check(health: Health, name: str, epoch: int) -> None:
    for quantity, value in health.values.items():
        if not _NAME.fullmatch(quantity) or not isinstance(value, float):
            raise PluginError(
                f"{name}: epoch_health gave {quantity!r}: {value!r}; a lower-case name and a float "
                "were expected"
            )
        if not math.isfinite(value):
            raise DivergedError(
                f"the health of {name} became {quantity} = {value} in epoch {epoch}; "
                "lower training.optimizer.lr or set training.gradient_clip"
            )
