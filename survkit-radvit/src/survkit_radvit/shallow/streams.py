"""Streams of chance that do not touch each other: what one purpose draws leaves the others as they
were.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Generator

from survkit_radvit.shallow.shallow_vit_cox import Position, ShallowViTCox

Purpose = Literal["study", "weights", "order", "weights again", "order again"]

_KEYS: dict[Purpose, int] = {
    "study": 0,
    "weights": 1,
    "order": 2,
    "weights again": 3,
    "order again": 4,
}
"""Never renumber: a seed promises the same experiment in every release."""


def stream(seed: int, purpose: Purpose) -> Generator:
    """Return the generator of one purpose."""
    sequence = np.random.SeedSequence(seed, spawn_key=(_KEYS[purpose],))
    return Generator().manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> 1))


def fresh_model(
    generator: Generator, *, tokens: int, dim: int, position: Position
) -> ShallowViTCox:
    """Return an untrained model whose weights are of this generator; the process-wide one stays
    where it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.set_state(generator.get_state())
        return ShallowViTCox(tokens=tokens, dim=dim, position=position)
