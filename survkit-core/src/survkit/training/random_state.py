"""Random generators of the CPU and of the device in use, kept and put back without asking the
device.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class RandomState:
    """State of torch's generators.

    Attributes:
        cpu: State of the CPU generator.
        device: The accelerator whose generator was kept, if one is in use.
        accelerator: State of its generator.
    """

    cpu: Tensor
    device: torch.device | None = None
    accelerator: Tensor | None = None

    @classmethod
    def capture(cls, device: torch.device) -> RandomState:
        """Keep the state of the CPU generator and, where it is another, of the device's
        generator.
        """
        if device.type == "cpu":
            return cls(torch.get_rng_state())
        return cls(torch.get_rng_state(), device, _module(device).get_rng_state(*_index(device)))

    def restore(self) -> None:
        """Put the generators back where they were."""
        torch.set_rng_state(self.cpu)
        if self.device is not None and self.accelerator is not None:
            _module(self.device).set_rng_state(self.accelerator, *_index(self.device))


def seed_everything(*parts: int) -> None:
    """Seed Python, numpy and torch from a mix of several numbers, so that neighbours are unrelated.

    The engine calls this at the start of every epoch with (seed, fold, member, epoch): nothing
    random depends on what happened before, so a resumed run draws what the uninterrupted one drew.
    """
    words = np.random.SeedSequence(list(parts)).generate_state(3)
    random.seed(int(words[0]))
    # third-party components may draw from the global generator
    np.random.seed(int(words[1]))  # noqa: NPY002
    _seed_torch(int(words[2]))


def _seed_torch(seed: int) -> None:
    """Seed all of torch's generators.

    Where there is no accelerator ``torch.manual_seed`` still notes the seed for each kind of one,
    with the stack of the call as text: most of a millisecond, as long as a small network's step.
    """
    if _has_accelerator():
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


@cache
def _has_accelerator() -> bool:
    return torch.accelerator.is_available()


def _module(device: torch.device) -> Any:
    return getattr(torch, device.type)


def _index(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)
