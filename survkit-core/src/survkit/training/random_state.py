"""Random generators of the CPU and of the device in use, kept and put back without asking the
device.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
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
    torch.manual_seed(int(words[2]))


def _module(device: torch.device) -> Any:
    return getattr(torch, device.type)


def _index(device: torch.device) -> tuple[torch.device, ...]:
    return () if device.type == "mps" else (device,)
